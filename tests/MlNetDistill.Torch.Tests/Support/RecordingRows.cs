using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>The rows of another source, which it takes over. It notes how many are gathered at a time and which blocks are read ahead.</summary>
internal sealed class RecordingRows(IRowSource rows) : IRowSource, IReadAhead
{
    /// <summary>Number of rows of each call.</summary>
    public List<long> Gathered { get; } = [];

    /// <summary>The blocks that were asked for.</summary>
    public List<long> BlocksAhead { get; } = [];

    public long Count => rows.Count;

    public InputShape Shape => rows.Shape;

    public ScalarType ElementType => rows.ElementType;

    public RowIds RowIds => rows.RowIds;

    public Tensor Labels => rows.Labels;

    public Tensor? Weights => rows.Weights;

    public bool HasMissingLabels => rows.HasMissingLabels;

    public Device Device => rows.Device;

    public RowBlocks? Blocks { get; init; }

    public void MoveTo(Device device) => rows.MoveTo(device);

    public Tensor Gather(Tensor positions, Device device)
    {
        Gathered.Add(positions.shape[0]);
        return rows.Gather(positions, device);
    }

    public void ReadAhead(IReadOnlyList<long> blocks) => BlocksAhead.AddRange(blocks);

    public IRowSource Shard(int rank, int shards) => throw new NotSupportedException("These rows are not divided.");

    public void Dispose() => rows.Dispose();
}

using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>Rows whose features are in a file. It owns the file's handle and the tensors.</summary>
internal sealed class FileRows : IRowSource, IReadAhead
{
    // More bytes than that are not read at once, because a span has 32-bit lengths.
    private const long ReadBytes = 1L << 30;
    private readonly RowFile _file;

    /// <param name="file">The features.</param>
    /// <param name="labels">N labels, 64-bit; <see cref="IRowSource.MissingLabel"/> for a row without one.</param>
    /// <param name="rowIds">N identities.</param>
    /// <param name="shape">Shape of one row.</param>
    /// <param name="type">Bytes or 32-bit floats.</param>
    /// <param name="weights">N example weights, 32-bit floats; or null, all 1.</param>
    public FileRows(RowFile file, Tensor labels, RowIds rowIds, InputShape shape, ScalarType type, Tensor? weights = null)
    {
        (_file, Labels, RowIds, Shape, ElementType, Weights) = (file, labels, rowIds, shape, type, weights);
        if (file.Rows != rowIds.Count || labels.shape[0] != rowIds.Count || (weights is not null && weights.shape[0] != rowIds.Count))
            throw new ArgumentException($"There are {file.Rows} rows, {labels.shape[0]} labels, {weights?.shape[0]} weights and {rowIds.Count} identities.", nameof(file));
        using var scope = NewDisposeScope();
        HasMissingLabels = labels.IsEqualTo(IRowSource.MissingLabel).any().item<bool>();
    }

    /// <summary>Bytes of the blocks that can be in memory at a time.</summary>
    public long BufferedBytes => _file.BufferedBytes;

    public long Count => RowIds.Count;

    public InputShape Shape { get; }

    public ScalarType ElementType { get; }

    public RowIds RowIds { get; }

    public Tensor Labels { get; private set; }

    public Tensor? Weights { get; private set; }

    public bool HasMissingLabels { get; }

    public Device Device => Labels.device;

    public RowBlocks? Blocks => _file.Blocks;

    public void MoveTo(Device device)
    {
        Labels = SourceTensors.Move(Labels, device);
        Weights = Weights is null ? null : SourceTensors.Move(Weights, device);
    }

    public Tensor Gather(Tensor positions, Device device)
    {
        using var scope = NewDisposeScope();
        var rows = positions.cpu().contiguous().data<long>().ToArray();
        var result = empty([rows.Length, .. Shape.Dimensions], ElementType, CPU);
        var together = (int)Math.Clamp(ReadBytes / this.RowBytes, 1, int.MaxValue);
        foreach (var (part, from) in rows.Chunk(together).Select((part, index) => (part, index * (long)together)))
        {
            using var target = result.narrow(0, from, part.Length);
            _file.Read(part, target.bytes);
        }

        return result.On(device).MoveToOuterDisposeScope();
    }

    public void ReadAhead(IReadOnlyList<long> blocks) => _file.ReadAhead(blocks);

    /// <remarks>The shard reads the same file.</remarks>
    public IRowSource Shard(int rank, int shards) => new StridedRows(this, rank, shards);

    public void Dispose()
    {
        _file.Dispose();
        Labels.Dispose();
        Weights?.Dispose();
    }
}

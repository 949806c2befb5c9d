using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>Every n-th row of a source. It reads the features from the source, which must not be disposed before it, and has labels and weights of its own.</summary>
internal sealed class StridedRows : IRowSource
{
    private readonly IRowSource _source;
    private readonly int _first;
    private readonly int _step;

    /// <param name="source">The source.</param>
    /// <param name="rank">Position of the first row.</param>
    /// <param name="shards">Distance from a row to the next.</param>
    public StridedRows(IRowSource source, int rank, int shards)
    {
        ShardRange.Check(rank, shards, source.Count);
        (_source, _first, _step) = (source, rank, shards);
        RowIds = source.RowIds.Every(rank, shards);
        using var scope = NewDisposeScope();
        Labels = Select(source.Labels);
        Weights = source.Weights is null ? null : Select(source.Weights);
        HasMissingLabels = Labels.IsEqualTo(IRowSource.MissingLabel).any().item<bool>();

        Tensor Select(Tensor all) => all.slice(0, rank, source.Count, shards).clone().DetachFromDisposeScope();
    }

    public long Count => RowIds.Count;

    public InputShape Shape => _source.Shape;

    public ScalarType ElementType => _source.ElementType;

    public RowIds RowIds { get; }

    public Tensor Labels { get; private set; }

    public Tensor? Weights { get; private set; }

    public bool HasMissingLabels { get; }

    public Device Device => Labels.device;

    public RowBlocks? Blocks => _source.Blocks is { } blocks ? blocks with { Rows = Math.Max(1, blocks.Rows / _step) } : null;

    public void MoveTo(Device device)
    {
        Labels = SourceTensors.Move(Labels, device);
        Weights = Weights is null ? null : SourceTensors.Move(Weights, device);
    }

    public Tensor Gather(Tensor positions, Device device)
    {
        using var scope = NewDisposeScope();
        return _source.Gather(InSource(positions), device).MoveToOuterDisposeScope();
    }

    public Tensor GatherElements(Tensor positions, Device device)
    {
        using var scope = NewDisposeScope();
        return _source.GatherElements(InSource(positions), device).MoveToOuterDisposeScope();
    }

    public IRowSource Shard(int rank, int shards) => new StridedRows(this, rank, shards);

    public void Dispose()
    {
        Labels.Dispose();
        Weights?.Dispose();
    }

    private Tensor InSource(Tensor positions) => positions.MultiplyByInteger(_step).AddInteger(_first);
}

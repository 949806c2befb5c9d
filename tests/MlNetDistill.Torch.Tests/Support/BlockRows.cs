using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>The rows of another source with features in two tensors: what trains on these needs no single one.</summary>
internal sealed class BlockRows : IRowSource, IReadAhead
{
    private readonly Tensor[] _blocks;
    private readonly long _cut;

    public BlockRows(IRowSource rows)
    {
        using var scope = NewDisposeScope();
        _cut = rows.Count / 3;
        using var all = rows.AllFeatures();
        _blocks = [all.narrow(0, 0, _cut).clone().DetachFromDisposeScope(), all.narrow(0, _cut, rows.Count - _cut).clone().DetachFromDisposeScope()];
        (Count, Shape, ElementType, RowIds, HasMissingLabels) = (rows.Count, rows.Shape, rows.ElementType, rows.RowIds, rows.HasMissingLabels);
        Labels = rows.Labels.clone().DetachFromDisposeScope();
        Weights = rows.Weights?.clone().DetachFromDisposeScope();
    }

    public long Count { get; }

    public InputShape Shape { get; }

    public ScalarType ElementType { get; }

    public RowIds RowIds { get; }

    public Tensor Labels { get; }

    public Tensor? Weights { get; }

    public bool HasMissingLabels { get; }

    public Device Device { get; } = CPU;

    /// <summary>The blocks that batches are made of; these rows are read as fast in any order.</summary>
    public RowBlocks? Blocks { get; init; }

    /// <summary>What is told of the blocks that will be needed soon.</summary>
    public Action<IReadOnlyList<long>>? Announced { get; init; }

    public void ReadAhead(IReadOnlyList<long> blocks) => Announced?.Invoke(blocks);

    public void MoveTo(Device device) => throw new NotSupportedException("These rows stay on the CPU.");

    public Tensor Gather(Tensor positions, Device device)
    {
        using var scope = NewDisposeScope();
        var rows = positions.cpu().data<long>().ToArray().Select(position => position < _cut ? _blocks[0][position] : _blocks[1][position - _cut]);
        return stack([.. rows]).to(device).MoveToOuterDisposeScope();
    }

    public IRowSource Shard(int rank, int shards) => throw new NotSupportedException("These rows are not divided.");

    public void Dispose()
    {
        foreach (var tensor in _blocks.Append(Labels).Append(Weights))
            tensor?.Dispose();
    }
}

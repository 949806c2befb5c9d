using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>The rows of two sources, one after the other. It takes both over; their features stay where they are.</summary>
internal sealed class JoinedRows : IRowSource, IReadAhead
{
    private readonly IRowSource _first;
    private readonly IRowSource _second;

    /// <param name="first">Rows.</param>
    /// <param name="second">Rows of the same shape and type.</param>
    /// <param name="secondWeight">The weight of each of the second rows, where rows without weights have 1.</param>
    public JoinedRows(IRowSource first, IRowSource second, double secondWeight)
    {
        (_first, _second) = (first, second);
        RowIds = RowIds.From(first.RowIds.Concat(second.RowIds));
        HasMissingLabels = first.HasMissingLabels || second.HasMissingLabels;
        using var scope = NewDisposeScope();
        Labels = cat([first.Labels, second.Labels]).DetachFromDisposeScope();
        if (first.Weights is null && secondWeight == 1)
            return;
        var weights = ones([second.Count], float32, second.Labels.device).MultiplyBy(secondWeight);
        Weights = cat([first.Weights ?? ones([first.Count], float32, first.Labels.device), weights]).DetachFromDisposeScope();
    }

    /// <summary>The two sources.</summary>
    public IEnumerable<IRowSource> Parts => [_first, _second];

    public long Count => RowIds.Count;

    public InputShape Shape => _first.Shape;

    public ScalarType ElementType => _first.ElementType;

    public RowIds RowIds { get; }

    public Tensor Labels { get; private set; }

    public Tensor? Weights { get; private set; }

    public bool HasMissingLabels { get; }

    public Device Device => _first.Device;

    // A block of the joined rows has rows of two blocks of the second source, which does not begin where a block begins.
    public RowBlocks? Blocks => (_first.Blocks, _second.Blocks) switch
    {
        (var blocks, null) => blocks,
        (null, { } blocks) => blocks with { Together = Math.Max(1, blocks.Together / 2) },
        ({ } blocks, { } seconds) => blocks with { Together = Math.Max(1, Math.Min(blocks.Together, seconds.Together) / 2) },
    };

    public void MoveTo(Device device)
    {
        _first.MoveTo(device);
        _second.MoveTo(device);
        Labels = SourceTensors.Move(Labels, device);
        Weights = Weights is null ? null : SourceTensors.Move(Weights, device);
    }

    public Tensor Gather(Tensor positions, Device device)
    {
        using var scope = NewDisposeScope();
        var at = positions.cpu();
        var isFirst = at.IsLessThan(_first.Count);
        var (firsts, seconds) = (isFirst.nonzero().reshape(-1), isFirst.logical_not().nonzero().reshape(-1));
        if (seconds.shape[0] == 0)
            return _first.Gather(at, device).MoveToOuterDisposeScope();
        var ofSecond = _second.Gather(at.index_select(0, seconds).AddInteger(-_first.Count), device);
        if (firsts.shape[0] == 0)
            return ofSecond.MoveToOuterDisposeScope();
        var both = cat([_first.Gather(at.index_select(0, firsts), device), ofSecond]);
        // The place of each row among those gathered.
        return both.index_select(0, cat([firsts, seconds]).argsort().On(device)).MoveToOuterDisposeScope();
    }

    public void ReadAhead(IReadOnlyList<long> blocks)
    {
        var rows = Blocks!.Rows;
        if (_first is IReadAhead first)
            first.ReadAhead([.. blocks.Where(block => block * rows < _first.Count)]);
        if (_second is IReadAhead second && _second.Blocks is { } seconds)
        {
            var last = (_second.Count - 1) / seconds.Rows;
            second.ReadAhead(
            [
                .. blocks.Select(block => (block * rows) - _first.Count)
                    .Where(start => start + rows > 0)
                    .SelectMany(start => new[] { Math.Max(0, start) / seconds.Rows, (start + rows - 1) / seconds.Rows })
                    .Where(block => block <= last)
                    .Distinct(),
            ]);
        }
    }

    /// <remarks>The shard reads from both sources.</remarks>
    public IRowSource Shard(int rank, int shards) => new StridedRows(this, rank, shards);

    public void Dispose()
    {
        _first.Dispose();
        _second.Dispose();
        Labels.Dispose();
        Weights?.Dispose();
    }
}

using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Cache;

/// <summary>Answers kept in memory block by block while they are made: without a file, or beside one that need then not be read back.</summary>
internal sealed class HeldBlocks : IDisposable
{
    private readonly CacheLayout _layout;
    private readonly Tensor[] _fields;

    public HeldBlocks(CacheLayout layout)
    {
        _layout = layout;
        _fields = [.. layout.Fields.Select(f => empty([layout.Entries, .. f.Dimensions], f.Type, CPU).DetachFromDisposeScope())];
    }

    /// <summary>What is kept.</summary>
    public CacheLayout Layout => _layout;

    /// <summary>Takes the block that is in the buffer.</summary>
    public void Put(BlockBuffer buffer, long block)
    {
        using var scope = NewDisposeScope();
        for (var i = 0; i < _fields.Length; i++)
            buffer.Values(block, i).CopyTo(_fields[i].narrow(0, block * _layout.RowsPerBlock, _layout.RowsIn(block)).bytes);
    }

    /// <summary>The fields in the order of positions on a device; they are the caller's.</summary>
    /// <exception cref="InvalidOperationException">A position's row is not among them, or is twice with different answers.</exception>
    public Tensor[] Ordered(IReadOnlyList<RowId> ids, IReadOnlyList<RowId> order, Device device)
    {
        using var scope = NewDisposeScope();
        var views = Math.Max(1, _layout.Key.AugmentedViews);
        if (RowJoin.Of(ids, order, Same) is not { } map)
            return [.. _fields.Select(f => f.to(device).DetachFromDisposeScope())];
        var all = tensor(Enumerable.Range(0, views).SelectMany(view => map.Select(row => (view * _layout.Key.Rows) + row)).ToArray(), device: CPU);
        return [.. _fields.Select(f => f.index_select(0, all).to(device).DetachFromDisposeScope())];

        bool Same(int a, int b)
        {
            using var inner = NewDisposeScope();
            return Enumerable.Range(0, views).All(view => _fields.All(
                f => f[(view * _layout.Key.Rows) + a].bytes.SequenceEqual(f[(view * _layout.Key.Rows) + b].bytes)));
        }
    }

    public void Dispose()
    {
        foreach (var field in _fields)
            field.Dispose();
    }
}

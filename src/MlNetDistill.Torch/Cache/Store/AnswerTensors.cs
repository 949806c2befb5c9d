using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Cache;

/// <summary>Answers held in memory while they are computed, in the teacher's order: without a file, or beside one, which then need not be read back.</summary>
internal sealed class AnswerTensors(CacheFileKey key) : IDisposable
{
    private readonly Tensor[] _fields = [.. CacheField.Of(key).Select(f => empty([key.Entries, .. f.Dimensions], f.Type, CPU).DetachFromDisposeScope())];

    /// <summary>Takes a chunk's fields.</summary>
    /// <param name="first">Number of its first entry.</param>
    /// <param name="fields">Its fields, contiguous on the CPU.</param>
    public void Put(long first, IReadOnlyList<Tensor> fields)
    {
        for (var i = 0; i < _fields.Length; i++)
        {
            // A copy by torch would cost a small teacher as much as its answers.
            using var rows = _fields[i].narrow(0, first, fields[i].shape[0]);
            fields[i].bytes.CopyTo(rows.bytes);
        }
    }

    /// <summary>The answers in the order that was asked for, on its device.</summary>
    /// <param name="ids">Row ids of the first view, as the teacher answered.</param>
    /// <param name="request">What is asked for.</param>
    /// <exception cref="InvalidOperationException">A position's row is not among them, or is twice with different answers.</exception>
    public CachedOutputs For(IReadOnlyList<RowId> ids, CacheRequest request)
    {
        using var scope = NewDisposeScope();
        var views = Math.Max(1, key.AugmentedViews);
        var all = RowJoin.Of(ids, request.Order, Same) is { } map
            ? tensor(Enumerable.Range(0, views).SelectMany(view => map.Select(row => (view * key.Rows) + row)).ToArray(), device: CPU)
            : null;
        return new CachedOutputs(key, key, new MemoryRows(
            [.. _fields.Select(f => (all is null ? f : f.index_select(0, all)).to(request.Device).DetachFromDisposeScope())], request.Order.Count));

        bool Same(int a, int b)
        {
            using var inner = NewDisposeScope();
            return Enumerable.Range(0, views).All(view => _fields.All(
                f => f[(view * key.Rows) + a].bytes.SequenceEqual(f[(view * key.Rows) + b].bytes)));
        }
    }

    public void Dispose()
    {
        foreach (var field in _fields)
            field.Dispose();
    }
}

using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Cache;

/// <summary>Encoded outputs in memory while they are computed, in the teacher's order: without a file, or beside one, which then need not be read back.</summary>
internal sealed class OutputBuffer(CacheFileKey key) : IDisposable
{
    private readonly Tensor[] _fields = [.. CacheField.CreateAll(key).Select(f => empty([key.Entries, .. f.Dimensions], f.Type, CPU).DetachFromDisposeScope())];

    /// <summary>Copies the fields of a chunk.</summary>
    /// <param name="first">Number of its first entry.</param>
    /// <param name="fields">Its fields, contiguous on the CPU.</param>
    public void Put(long first, IReadOnlyList<Tensor> fields)
    {
        for (var i = 0; i < _fields.Length; i++)
        {
            // Copying tensors would take as long as a small teacher.
            using var rows = _fields[i].narrow(0, first, fields[i].shape[0]);
            fields[i].bytes.CopyTo(rows.bytes);
        }
    }

    /// <summary>The outputs in the order and on the device of the request.</summary>
    /// <param name="ids">Row ids of the first view, in the teacher's order.</param>
    /// <param name="request">The request.</param>
    /// <exception cref="InvalidOperationException">A row is missing, or has two different outputs.</exception>
    public CachedOutputs ToCachedOutputs(RowIds ids, CacheRequest request)
    {
        using var scope = NewDisposeScope();
        var views = Math.Max(1, key.AugmentedViews);
        var entries = RowJoin.MapPositions(ids, request.Order, HaveEqualOutputs) is { } map
            ? tensor(Enumerable.Range(0, views).SelectMany(view => map.Select(row => (view * key.Rows) + row)).ToArray(), device: CPU)
            : null;
        return new CachedOutputs(key, key, new MemoryRows(
            [.. _fields.Select(f => (entries is null ? f : f.index_select(0, entries)).to(request.Device).DetachFromDisposeScope())], request.Order.Count));

        bool HaveEqualOutputs(int a, int b)
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

using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Cache;

/// <summary>Rows in tensors on the device, in the order of the positions: a batch is an index_select.</summary>
/// <param name="fields">The fields, which are disposed with these rows; null for those that are not wanted.</param>
/// <param name="count">Number of positions.</param>
internal sealed class MemoryRows(Tensor?[] fields, long count) : OutputRows
{
    public override long Bytes => fields.Sum(f => f is null ? 0 : f.numel() * f.element_size());

    /// <summary>Reads fields of a file into memory.</summary>
    /// <param name="rows">The rows of the file.</param>
    /// <param name="layout">Layout of the file.</param>
    /// <param name="wanted">The outputs to read.</param>
    /// <param name="device">Device of the tensors.</param>
    public static MemoryRows Load(StoredRows rows, CacheLayout layout, ModelOutputs wanted, Device device)
    {
        var views = Math.Max(1, layout.Key.AugmentedViews);
        var fields = new Tensor?[layout.Fields.Count];
        for (var i = 0; i < fields.Length; i++)
        {
            if ((wanted & layout.Fields[i].Output) != ModelOutputs.None)
                fields[i] = Load(rows, i, layout.Fields[i], views, device);
        }

        return new MemoryRows(fields, rows.Count);
    }

    public override Tensor Gather(int field, Tensor positions, int view)
    {
        if (view == 0)
            return fields[field]!.index_select(0, positions);
        using var entries = positions.AddInteger(view * count);
        return fields[field]!.index_select(0, entries);
    }

    public override Tensor? Whole(int field) => fields[field];

    public override void Dispose()
    {
        foreach (var field in fields)
            field?.Dispose();
    }

    private static Tensor Load(StoredRows rows, int number, CacheField field, int views, Device device)
    {
        using var scope = NewDisposeScope();
        var all = empty([views * rows.Count, .. field.Dimensions], field.Type, device);
        var positions = TensorArithmetic.Range(rows.Count, CPU);
        // In parts, as a span covers at most 2 GiB.
        var part = Math.Clamp((64L << 20) / field.Bytes, 1, Math.Max(1, rows.Count));
        for (var view = 0; view < views; view++)
        {
            for (var from = 0L; from < rows.Count; from += part)
            {
                using var inner = NewDisposeScope();
                var length = Math.Min(part, rows.Count - from);
                all.narrow(0, (view * rows.Count) + from, length).copy_(rows.Gather(number, positions.narrow(0, from, length), view));
            }
        }

        return all.DetachFromDisposeScope();
    }
}

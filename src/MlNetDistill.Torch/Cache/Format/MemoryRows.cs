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
    public static MemoryRows Load(MappedRows rows, CacheLayout layout, ModelOutputs wanted, Device device)
    {
        var count = rows.Map?.Length ?? layout.Key.Rows;
        var fields = new Tensor?[layout.Fields.Count];
        for (var i = 0; i < fields.Length; i++)
        {
            if ((wanted & layout.Fields[i].Output) != ModelOutputs.None)
                fields[i] = Load(rows, i, layout.Fields[i], count, Math.Max(1, layout.Key.AugmentedViews), device);
        }

        return new MemoryRows(fields, count);
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

    private static Tensor Load(MappedRows rows, int number, CacheField field, long count, int views, Device device)
    {
        using var scope = NewDisposeScope();
        var all = empty([views * count, .. field.Dimensions], field.Type, CPU);
        // In parts, as a span covers at most 2 GiB.
        var part = (int)Math.Clamp((64L << 20) / field.Bytes, 1, Math.Max(1, count));
        var positions = new long[part];
        for (var view = 0; view < views; view++)
        {
            for (var from = 0L; from < count; from += part)
            {
                using var inner = NewDisposeScope();
                var length = (int)Math.Min(part, count - from);
                for (var i = 0; i < length; i++)
                    positions[i] = from + i;
                rows.Copy(number, view, positions.AsSpan(0, length), all.narrow(0, (view * count) + from, length).bytes);
            }
        }

        return all.to(device).DetachFromDisposeScope();
    }
}

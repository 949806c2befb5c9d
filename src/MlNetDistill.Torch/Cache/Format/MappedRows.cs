using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace MlNetDistill.Cache;

/// <summary>Rows of a memory-mapped file, copied batch by batch into new tensors.</summary>
/// <param name="file">The file, which is disposed with these rows.</param>
/// <param name="layout">Its layout.</param>
/// <param name="device">Device of the batches.</param>
internal sealed class MappedRows(MappedFile file, CacheLayout layout, Device device) : OutputRows
{
    private readonly (long Full, long Last)[] _fieldStarts =
        [.. Enumerable.Range(0, layout.Fields.Count).Select(i => (layout.FieldStart(i, 0), layout.FieldStart(i, layout.Blocks - 1)))];
    private readonly int _blockBytes = layout.BlockBytes(0);

    public override long Bytes => 0;

    /// <summary>The cached row of each position; null if both are in the same order.</summary>
    public long[]? Map { get; set; }

    public override Tensor Gather(int field, Tensor positions, int view)
    {
        using var scope = NewDisposeScope();
        var onCpu = positions.cpu().contiguous();
        var rows = empty([onCpu.shape[0], .. layout.Fields[field].Dimensions], layout.Fields[field].Type, CPU);
        Copy(field, view, MemoryMarshal.Cast<byte, long>(onCpu.bytes), rows.bytes);
        return rows.to(device).MoveToOuterDisposeScope();
    }

    public override Tensor? Whole(int field) => null;

    /// <summary>Whether two cached rows have equal outputs in all views.</summary>
    public bool HaveEqualOutputs(int a, int b)
    {
        for (var view = 0; view < Math.Max(1, layout.Key.AugmentedViews); view++)
        {
            for (var field = 0; field < layout.Fields.Count; field++)
            {
                if (!Row(field, (view * layout.Key.Rows) + a).SequenceEqual(Row(field, (view * layout.Key.Rows) + b)))
                    return false;
            }
        }

        return true;
    }

    /// <summary>Copies a field's values of some positions, one after the other.</summary>
    public void Copy(int field, int view, ReadOnlySpan<long> positions, Span<byte> to)
    {
        var size = layout.Fields[field].Bytes;
        var count = Map?.Length ?? layout.Key.Rows;
        for (var i = 0; i < positions.Length; i++)
        {
            if ((ulong)positions[i] >= (ulong)count)
                throw new ArgumentOutOfRangeException(nameof(positions), $"A position of a teacher cache must be in [0, {count}); was {positions[i]}.");
            var row = Map is null ? positions[i] : Map[positions[i]];
            Row(field, (view * layout.Key.Rows) + row).CopyTo(to[(i * size)..]);
        }
    }

    public override void Dispose() => file.Dispose();

    private ReadOnlySpan<byte> Row(int field, long entry)
    {
        var (block, row) = Math.DivRem(entry, layout.RowsPerBlock);
        var start = block == layout.Blocks - 1 ? _fieldStarts[field].Last : _fieldStarts[field].Full;
        var size = layout.Fields[field].Bytes;
        return file.Read(layout.Header.Length + (block * _blockBytes) + start + (row * size), size);
    }
}

using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace MlNetDistill.Cache;

/// <summary>
/// Rows of a file, read batch by batch into new tensors. The file is not mapped into memory: its pages would count as memory of the process, and if another program cut
/// it, access to them would end the process. Another file may take its name meanwhile.
/// </summary>
internal sealed class StoredRows : OutputRows
{
    private readonly CacheLayout _layout;
    private readonly Device _device;
    private readonly FileStream _file;
    private readonly (long Full, long Last)[] _fieldStarts;
    private readonly int _blockBytes;

    /// <param name="file">The file, which is disposed with these rows.</param>
    /// <param name="layout">Its layout.</param>
    /// <param name="device">Device of the batches.</param>
    public StoredRows(FileStream file, CacheLayout layout, Device device)
    {
        (_file, _layout, _device) = (file, layout, device);
        _fieldStarts = [.. Enumerable.Range(0, layout.Fields.Count).Select(i => (layout.FieldStart(i, 0), layout.FieldStart(i, layout.Blocks - 1)))];
        _blockBytes = layout.BlockBytes(0);
    }

    public override long Bytes => 0;

    /// <summary>Number of positions.</summary>
    public long Count => Map?.Length ?? _layout.Key.Rows;

    /// <summary>The cached row of each position; null if both are in the same order.</summary>
    public long[]? Map { get; set; }

    public override Tensor Gather(int field, Tensor positions, int view)
    {
        using var scope = NewDisposeScope();
        var onCpu = positions.cpu().contiguous();
        var rows = empty([onCpu.shape[0], .. _layout.Fields[field].Dimensions], _layout.Fields[field].Type, CPU);
        var from = MemoryMarshal.Cast<byte, long>(onCpu.bytes);
        var to = rows.bytes;
        var size = _layout.Fields[field].Bytes;
        for (int i = 0, count; i < from.Length; i += count)
        {
            var entry = EntryOf(from[i], view);
            // Rows that follow each other in the file are read together.
            var most = Math.Min(from.Length - i, _layout.RowsPerBlock - (entry % _layout.RowsPerBlock));
            for (count = 1; count < most && EntryOf(from[i + count], view) == entry + count;)
                count++;
            Read(field, entry, to.Slice(i * size, count * size));
        }

        return rows.to(_device).MoveToOuterDisposeScope();
    }

    public override Tensor? Whole(int field) => null;

    /// <summary>Whether two cached rows have equal outputs in all views.</summary>
    public bool HaveEqualOutputs(int a, int b)
    {
        for (var view = 0; view < Math.Max(1, _layout.Key.AugmentedViews); view++)
        {
            for (var field = 0; field < _layout.Fields.Count; field++)
            {
                var (one, other) = (new byte[_layout.Fields[field].Bytes], new byte[_layout.Fields[field].Bytes]);
                Read(field, (view * _layout.Key.Rows) + a, one);
                Read(field, (view * _layout.Key.Rows) + b, other);
                if (!one.AsSpan().SequenceEqual(other))
                    return false;
            }
        }

        return true;
    }

    public override void Dispose() => _file.Dispose();

    /// <exception cref="ArgumentOutOfRangeException">There is no such position.</exception>
    private long EntryOf(long position, int view) => (ulong)position < (ulong)Count
        ? (view * _layout.Key.Rows) + (Map is null ? position : Map[position])
        : throw new ArgumentOutOfRangeException(nameof(position), $"A position of a teacher cache must be in [0, {Count}); was {position}.");

    private void Read(int field, long entry, Span<byte> to)
    {
        var (block, row) = Math.DivRem(entry, _layout.RowsPerBlock);
        var start = block == _layout.Blocks - 1 ? _fieldStarts[field].Last : _fieldStarts[field].Full;
        var offset = _layout.Header.Length + (block * _blockBytes) + start + (row * _layout.Fields[field].Bytes);
        while (to.Length > 0)
        {
            var read = RandomAccess.Read(_file.SafeFileHandle, to, offset);
            if (read == 0)
            {
                throw new IOException(FormattableString.Invariant(
                    $"The teacher cache '{_file.Name}' was cut while it was in use: it ends before byte {offset + to.Length}. ") +
                    "No program may write to it; fit again, which creates it anew.");
            }

            to = to[read..];
            offset += read;
        }
    }
}

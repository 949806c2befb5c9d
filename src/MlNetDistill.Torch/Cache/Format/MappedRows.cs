using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace MlNetDistill.Cache;

/// <summary>
/// Rows of a memory-mapped file, copied batch by batch into new tensors. Processes that map the same file share its pages. Another file may take its name
/// meanwhile. The file must not be truncated in place: that would end every process that reads beyond the new end.
/// </summary>
internal sealed class MappedRows : OutputRows
{
    private readonly CacheLayout _layout;
    private readonly Device _device;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly (long Full, long Last)[] _fieldStarts;
    private readonly int _blockBytes;

    /// <param name="file">The file, which is disposed with these rows.</param>
    /// <param name="layout">Its layout.</param>
    /// <param name="device">Device of the batches.</param>
    public MappedRows(FileStream file, CacheLayout layout, Device device)
    {
        (_layout, _device) = (layout, device);
        _fieldStarts = [.. Enumerable.Range(0, layout.Fields.Count).Select(i => (layout.FieldStart(i, 0), layout.FieldStart(i, layout.Blocks - 1)))];
        _blockBytes = layout.BlockBytes(0);
        _file = MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        _view = _file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
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
        for (var i = 0; i < from.Length; i++)
        {
            if ((ulong)from[i] >= (ulong)Count)
                throw new ArgumentOutOfRangeException(nameof(positions), $"A position of a teacher cache must be in [0, {Count}); was {from[i]}.");
            Copy(field, (view * _layout.Key.Rows) + (Map is null ? from[i] : Map[from[i]]), to.Slice(i * size, size));
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
                Copy(field, (view * _layout.Key.Rows) + a, one);
                Copy(field, (view * _layout.Key.Rows) + b, other);
                if (!one.AsSpan().SequenceEqual(other))
                    return false;
            }
        }

        return true;
    }

    public override void Dispose()
    {
        _view.Dispose();
        _file.Dispose();
    }

    private void Copy(int field, long entry, Span<byte> to)
    {
        var (block, row) = Math.DivRem(entry, _layout.RowsPerBlock);
        var start = block == _layout.Blocks - 1 ? _fieldStarts[field].Last : _fieldStarts[field].Full;
        _view.SafeMemoryMappedViewHandle.ReadSpan((ulong)(_layout.Header.Length + (block * _blockBytes) + start + (row * to.Length)), to);
    }
}

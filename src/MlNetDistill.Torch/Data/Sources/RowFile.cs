using System.IO.Hashing;
using Microsoft.Win32.SafeHandles;
using static System.FormattableString;

namespace MlNetDistill.Data;

/// <summary>
/// A finished file of rows, read in blocks. It is read and not mapped into memory: pages of a mapped file count as memory of the process, and if the file becomes
/// shorter, access to them ends the process.
/// </summary>
internal sealed class RowFile : IDisposable
{
    private readonly FileStream _stream;
    private readonly RowFileLayout _layout;
    private readonly IReadOnlyList<ulong> _hashes;
    private readonly Dictionary<long, BufferedBlock> _buffered = [];
    private readonly HashSet<long> _touched = [];
    private readonly Queue<long> _order = [];
    private readonly Lock _lock = new();
    private Task _ahead = Task.CompletedTask;
    private volatile bool _isDisposed;
    private long _clock;

    /// <param name="stream">The file, which this object closes.</param>
    /// <param name="layout">What is in it.</param>
    /// <param name="hashes">The hash of each block.</param>
    public RowFile(FileStream stream, RowFileLayout layout, IReadOnlyList<ulong> hashes) => (_stream, _layout, _hashes) = (stream, layout, hashes);

    /// <summary>Number of rows.</summary>
    public long Rows => _layout.Rows;

    /// <summary>How the rows are divided.</summary>
    public RowBlocks Blocks => _layout.Blocks;

    /// <summary>Bytes of the blocks that can be in memory at a time.</summary>
    public long BufferedBytes => Math.Min(Capacity, _hashes.Count) * _layout.BlockBytes;

    // A batch can have rows of the blocks before and of those after.
    private int Capacity => _layout.Blocks.Together + (_layout.Blocks.Together / 4) + 1;

    private SafeFileHandle Handle => _stream.SafeFileHandle;

    /// <summary>Copies rows.</summary>
    /// <param name="rows">Their positions, in any order.</param>
    /// <param name="target">Memory for all of them.</param>
    /// <exception cref="IOException">The file was changed, or cannot be read.</exception>
    public void Read(ReadOnlySpan<long> rows, Span<byte> target)
    {
        var width = (int)_layout.RowBytes;
        lock (_lock)
        {
            for (var i = 0; i < rows.Length; i++)
                Read(rows[i], target.Slice(i * width, width));
        }
    }

    /// <summary>
    /// Reads blocks in the background, so that the system has them in its memory when they are needed. The bytes are not kept here, and a failure is not reported: the
    /// block is read again when it is needed, and fails again.
    /// </summary>
    public void ReadAhead(IReadOnlyList<long> blocks)
    {
        lock (_lock)
        {
            if (!_isDisposed)
                _ahead = ReadAfter(_ahead, blocks);
        }
    }

    public void Dispose()
    {
        lock (_lock)
            _isDisposed = true;
        // It uses the handle; whether it failed makes no difference.
        Task.WaitAny(_ahead);
        _buffered.Clear();
        _stream.Dispose();
    }

    private Task ReadAfter(Task before, IReadOnlyList<long> blocks) => Task.Run(async () =>
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var bytes = new byte[_layout.BlockBytes];
        foreach (var block in blocks)
        {
            if (_isDisposed)
                return;
            RandomAccess.Read(Handle, bytes, _layout.Start(block * _layout.Blocks.Rows));
        }
    });

    private void Read(long row, Span<byte> target)
    {
        var block = row / _layout.Blocks.Rows;
        _clock++;
        if (_buffered.TryGetValue(block, out var known))
        {
            known.UsedAt = _clock;
        }
        else if (_layout.Blocks.Rows == 1 || WasTouched(block))
        {
            known = Load(block);
        }
        else
        {
            ReadFully(_layout.Start(row), target);
            return;
        }

        known.Bytes.AsSpan((int)((row - (block * _layout.Blocks.Rows)) * _layout.RowBytes), target.Length).CopyTo(target);
    }

    /// <summary>
    /// Whether another row of the block was read not long ago. Only then is the whole block read: where rows are read in an order that does not follow the blocks, this
    /// would read about a thousand rows for each one.
    /// </summary>
    private bool WasTouched(long block)
    {
        if (_touched.Remove(block))
            return true;
        if (_order.Count >= Capacity)
            _touched.Remove(_order.Dequeue());
        _order.Enqueue(block);
        _touched.Add(block);
        return false;
    }

    private BufferedBlock Load(long block)
    {
        BufferedBlock? buffer = null;
        if (_buffered.Count >= Capacity)
            _buffered.Remove(_buffered.MinBy(entry => entry.Value.UsedAt).Key, out buffer);
        buffer ??= new BufferedBlock(new byte[_layout.BlockBytes]);
        var bytes = buffer.Bytes.AsSpan(0, (int)_layout.BytesOf(block));
        ReadFully(_layout.Start(block * _layout.Blocks.Rows), bytes);
        if (XxHash3.HashToUInt64(bytes) != _hashes[(int)block])
            throw CreateError(Invariant($"block {block} has changed since it was written"));
        buffer.UsedAt = _clock;
        _buffered.Add(block, buffer);
        return buffer;
    }

    private void ReadFully(long offset, Span<byte> target)
    {
        while (target.Length > 0)
        {
            var read = RandomAccess.Read(Handle, target, offset);
            if (read == 0)
                throw CreateError(Invariant($"it ends at byte {RandomAccess.GetLength(Handle)}, before byte {offset + target.Length} of its rows"));
            target = target[read..];
            offset += read;
        }
    }

    private IOException CreateError(string found)
    {
        // Else a later fit would take the blocks for those that it would write.
        _layout.WriteUnfinished(_stream);
        return new(
            $"The file of training rows '{_stream.Name}' cannot be used any more: {found}. " +
            "No other program may write to it while a student is trained; fit again, which writes it anew.");
    }

    private sealed class BufferedBlock(byte[] bytes)
    {
        public byte[] Bytes { get; } = bytes;

        public long UsedAt { get; set; }
    }
}

using System.Diagnostics;
using System.Security.Cryptography;
using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Cache;

/// <summary>Writes a cache file, which may have some blocks already.</summary>
internal sealed class CacheWriter : IDisposable
{
    // After a power failure the hashes show which blocks did not reach the disk. A cache that is built in less than this time is cheaper to rebuild than to flush.
    private static readonly TimeSpan FlushThreshold = TimeSpan.FromSeconds(1);
    private readonly FileStream _file;
    private readonly CacheLayout _layout;
    private readonly BlockBuffer _buffer;
    private readonly IncrementalHash _hashes = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <param name="file">The file, open for reading and writing. It stays open.</param>
    /// <param name="layout">Its layout.</param>
    public CacheWriter(FileStream file, CacheLayout layout)
    {
        _file = file;
        _layout = layout;
        _buffer = new BlockBuffer(layout);
        _hashes.AppendData(layout.HeaderHash);
    }

    /// <summary>Receives a copy of what is written: the number of the first entry, and the fields; null for no copy.</summary>
    public Action<long, IReadOnlyList<Tensor>>? CopyTo { get; set; }

    /// <summary>Row ids of the first view so far.</summary>
    public RowIdsBuilder Ids { get; } = new();

    /// <summary>Drops what an earlier run wrote.</summary>
    public void Clear() => Change(() => _file.SetLength(0));

    /// <summary>Keeps the header and the complete blocks after it, truncates the rest, and returns the number of entries that are kept.</summary>
    public long Resume(CancellationToken cancellation)
    {
        var block = 0L;
        if (!_layout.HasHeader(_file))
        {
            Clear();
            Append(_layout.Header);
        }
        else
        {
            for (; block < _layout.Blocks && _buffer.Read(_file, block); block++)
            {
                cancellation.ThrowIfCancellationRequested();
                _hashes.AppendData(_buffer.Hash(block));
                for (var row = 0; row < _layout.RowsIn(block) && Ids.Count < _layout.Key.Rows; row++)
                    Ids.Add(_buffer.GetId(row));
            }
        }

        var end = block == _layout.Blocks ? _layout.FooterStart : _layout.BlockStart(block);
        Change(() => _file.SetLength(end));
        _file.Position = end;
        return Math.Min(block * _layout.RowsPerBlock, _layout.Entries);
    }

    /// <summary>Writes the entries from <paramref name="from"/> on, which begins a block, and the footer; then flushes to the disk if it would take long to rebuild.</summary>
    public void Write(long from, Func<long, IEnumerable<OutputChunk>> outputsFrom, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        new OutputCollector(_layout.Key, Ids, Put).Collect(from, outputsFrom, cancellation);
        Append(_layout.CreateFooter(_hashes));
        Change(() => _file.Flush(flushToDisk: from > 0 || clock.Elapsed > FlushThreshold));
        if (_file.Length != _layout.FileBytes)
            throw new IOException($"The teacher cache {_file.Name} has {_file.Length} bytes after writing; it must have {_layout.FileBytes}.");
    }

    public void Dispose() => _hashes.Dispose();

    // Splits chunks of any size into blocks.
    private void Put(long entry, IReadOnlyList<RowId> ids, IReadOnlyList<Tensor> fields)
    {
        CopyTo?.Invoke(entry, fields);
        for (var from = 0; from < ids.Count;)
        {
            var (block, row) = (entry / _layout.RowsPerBlock, (int)(entry % _layout.RowsPerBlock));
            var rows = Math.Min(ids.Count - from, _layout.RowsIn(block) - row);
            for (var i = 0; i < rows; i++)
                _buffer.SetId(row + i, ids[from + i]);
            for (var field = 0; field < fields.Count; field++)
            {
                var size = _layout.Fields[field].Bytes;
                fields[field].bytes.Slice(from * size, rows * size).CopyTo(_buffer.Values(block, field)[(row * size)..]);
            }

            from += rows;
            entry += rows;
            if (row + rows < _layout.RowsIn(block))
                continue;
            _buffer.UpdateHash(block);
            _hashes.AppendData(_buffer.Hash(block));
            Append(_buffer.Stored(block));
        }
    }

    /// <exception cref="CacheWriteException">The system could not do it.</exception>
    private void Change(Action change)
    {
        var length = _file.Position;
        try
        {
            change();
        }
        catch (Exception e) when (WriteFailure.IsPossible(e))
        {
            throw new CacheWriteException(length, e);
        }
    }

    /// <exception cref="CacheWriteException">The system could not write it.</exception>
    private void Append(ReadOnlySpan<byte> bytes)
    {
        var length = _file.Position;
        try
        {
            _file.Write(bytes);
        }
        catch (Exception e) when (WriteFailure.IsPossible(e))
        {
            throw new CacheWriteException(length, e);
        }
    }
}

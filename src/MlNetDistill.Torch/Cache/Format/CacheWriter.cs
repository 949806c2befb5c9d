using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;
using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Cache;

/// <summary>Writes a record into a file of which some blocks may be there already.</summary>
internal sealed class CacheWriter : IDisposable
{
    // After a power failure hashes tell what did not reach the disk. To make such a record anew must cost little, or waiting for the disk pays.
    private static readonly TimeSpan WorthWaiting = TimeSpan.FromSeconds(1);
    private readonly FileStream _file;
    private readonly CacheLayout _layout;
    private readonly BlockBuffer _buffer;
    private readonly IncrementalHash _blocks = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <param name="file">The file, open for reading and writing. It stays open.</param>
    /// <param name="layout">What is kept.</param>
    public CacheWriter(FileStream file, CacheLayout layout)
    {
        _file = file;
        _layout = layout;
        _buffer = new BlockBuffer(layout);
        _blocks.AppendData(layout.HeaderHash);
    }

    /// <summary>Takes what is written too, to keep it in memory: the number of the first entry, and the fields; null for nothing.</summary>
    public Action<long, IReadOnlyList<Tensor>>? AlsoPut { get; set; }

    /// <summary>Row ids of the first view so far.</summary>
    public List<RowId> Ids { get; } = [];

    /// <summary>Keeps the header and the blocks behind it that are whole, cuts off the rest, and gives the number of entries that are there.</summary>
    public long Resume(CancellationToken cancellation)
    {
        var block = 0L;
        if (!HasHeader())
        {
            _file.SetLength(0);
            _file.Write(_layout.Header);
        }
        else
        {
            for (; block < _layout.Blocks && _buffer.Read(_file, block); block++)
            {
                cancellation.ThrowIfCancellationRequested();
                _blocks.AppendData(_buffer.Hash(block));
                for (var row = 0; row < _layout.RowsIn(block) && Ids.Count < _layout.Key.Rows; row++)
                    Ids.Add(_buffer.Id(row));
            }
        }

        var end = block == _layout.Blocks ? _layout.FooterStart : _layout.BlockStart(block);
        _file.SetLength(end);
        _file.Position = end;
        return Math.Min(block * _layout.RowsPerBlock, _layout.Entries);
    }

    /// <summary>Writes what is missing of an entry on that begins a block, then the footer; and flushes all to the disk, unless it is quickly made again.</summary>
    public void Write(long from, Func<long, IEnumerable<OutputChunk>> answersFrom, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        new AnswerIntake(_layout.Key, Ids, Put).Take(from, answersFrom, cancellation);
        _file.Write(Footer(_layout, _blocks));
        _file.Flush(flushToDisk: from > 0 || clock.Elapsed > WorthWaiting);
        if (_file.Length != _layout.FileBytes)
            throw new IOException($"The teacher cache {_file.Name} has {_file.Length} bytes after writing where it should have {_layout.FileBytes}.");
    }

    /// <summary>The end of a file.</summary>
    /// <param name="layout">What is kept.</param>
    /// <param name="blocks">The header's hash and those of all blocks, in order.</param>
    public static byte[] Footer(CacheLayout layout, IncrementalHash blocks)
    {
        var footer = new byte[CacheLayout.FooterBytes];
        BinaryPrimitives.WriteInt64LittleEndian(footer, layout.Blocks);
        BinaryPrimitives.WriteInt64LittleEndian(footer.AsSpan(8), layout.Entries);
        blocks.GetCurrentHash(footer.AsSpan(16));
        return footer;
    }

    public void Dispose() => _blocks.Dispose();

    // Chunks of any size in, blocks out.
    private void Put(long entry, IReadOnlyList<RowId> ids, IReadOnlyList<Tensor> fields)
    {
        AlsoPut?.Invoke(entry, fields);
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
            if (row + rows == _layout.RowsIn(block))
                WriteBlock(block);
        }
    }

    private void WriteBlock(long block)
    {
        _buffer.Seal(block);
        _blocks.AppendData(_buffer.Hash(block));
        _file.Write(_buffer.Stored(block));
    }

    private bool HasHeader()
    {
        var there = new byte[_layout.Header.Length];
        _file.Position = 0;
        return _file.ReadAtLeast(there, there.Length, throwOnEndOfStream: false) == there.Length && there.AsSpan().SequenceEqual(_layout.Header);
    }
}

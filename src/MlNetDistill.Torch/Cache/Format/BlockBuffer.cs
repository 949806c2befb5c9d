using System.Buffers.Binary;
using System.Security.Cryptography;
using MlNetDistill.Core;

namespace MlNetDistill.Cache;

/// <summary>A block in memory: the prefix of its hash, its content, its hash. It is reused for block after block.</summary>
internal sealed class BlockBuffer
{
    private const int PrefixBytes = CacheLayout.HashBytes + 8;
    private readonly CacheLayout _layout;
    private readonly byte[] _bytes;

    public BlockBuffer(CacheLayout layout)
    {
        _layout = layout;
        _bytes = new byte[PrefixBytes + layout.BlockBytes(0)];
        layout.HeaderHash.CopyTo(_bytes);
    }

    /// <summary>The block as in the file.</summary>
    public Span<byte> Stored(long block) => _bytes.AsSpan(PrefixBytes, _layout.BlockBytes(block));

    public Span<byte> Hash(long block) => Stored(block)[^CacheLayout.HashBytes..];

    /// <summary>All values of a field.</summary>
    public Span<byte> Values(long block, int field) =>
        Stored(block).Slice((int)_layout.FieldStart(field, block), _layout.RowsIn(block) * _layout.Fields[field].Bytes);

    public RowId GetId(int row)
    {
        var bytes = IdBytes(row);
        return new(BinaryPrimitives.ReadUInt64LittleEndian(bytes), BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]));
    }

    public void SetId(int row, RowId id)
    {
        var bytes = IdBytes(row);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, id.Low);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], id.High);
    }

    /// <summary>Computes the hash of the content.</summary>
    public void UpdateHash(long block) => SHA256.HashData(HashedBytes(block), Hash(block));

    /// <summary>Reads a block; false if the file ends within it or its hash does not match its content.</summary>
    public bool Read(FileStream file, long block)
    {
        file.Position = _layout.BlockStart(block);
        var stored = Stored(block);
        Span<byte> expected = stackalloc byte[CacheLayout.HashBytes];
        if (file.ReadAtLeast(stored, stored.Length, throwOnEndOfStream: false) < stored.Length)
            return false;
        SHA256.HashData(HashedBytes(block), expected);
        return expected.SequenceEqual(Hash(block));
    }

    private Span<byte> IdBytes(int row) => _bytes.AsSpan(PrefixBytes + (row * CacheLayout.IdBytes), CacheLayout.IdBytes);

    private ReadOnlySpan<byte> HashedBytes(long block)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_bytes.AsSpan(CacheLayout.HashBytes), block);
        return _bytes.AsSpan(0, PrefixBytes + _layout.ContentBytes(block));
    }
}

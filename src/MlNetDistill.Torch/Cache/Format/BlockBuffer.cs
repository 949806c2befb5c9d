using System.Buffers.Binary;
using System.Security.Cryptography;
using MlNetDistill.Core;

namespace MlNetDistill.Cache;

/// <summary>One block in memory: what its hash begins with, its content, its hash. Used for one block after the other.</summary>
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

    /// <summary>The block as it stands in the file.</summary>
    public Span<byte> Stored(long block) => _bytes.AsSpan(PrefixBytes, _layout.BlockBytes(block));

    public Span<byte> Hash(long block) => Stored(block)[^CacheLayout.HashBytes..];

    /// <summary>All values of a field.</summary>
    public Span<byte> Values(long block, int field) =>
        Stored(block).Slice((int)_layout.FieldStart(field, block), _layout.RowsIn(block) * _layout.Fields[field].Bytes);

    public RowId Id(int row)
    {
        var at = _bytes.AsSpan(PrefixBytes + (row * CacheLayout.IdBytes));
        return new(BinaryPrimitives.ReadUInt64LittleEndian(at), BinaryPrimitives.ReadUInt64LittleEndian(at[8..]));
    }

    public void SetId(int row, RowId id)
    {
        var at = _bytes.AsSpan(PrefixBytes + (row * CacheLayout.IdBytes));
        BinaryPrimitives.WriteUInt64LittleEndian(at, id.Low);
        BinaryPrimitives.WriteUInt64LittleEndian(at[8..], id.High);
    }

    /// <summary>Puts the hash behind the content.</summary>
    public void Seal(long block) => SHA256.HashData(Hashed(block), Hash(block));

    /// <summary>Reads a block; false where the file ends before it does or its hash is not the one of its content.</summary>
    public bool Read(FileStream file, long block)
    {
        file.Position = _layout.BlockStart(block);
        var stored = Stored(block);
        Span<byte> expected = stackalloc byte[CacheLayout.HashBytes];
        if (file.ReadAtLeast(stored, stored.Length, throwOnEndOfStream: false) < stored.Length)
            return false;
        SHA256.HashData(Hashed(block), expected);
        return expected.SequenceEqual(Hash(block));
    }

    private ReadOnlySpan<byte> Hashed(long block)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_bytes.AsSpan(CacheLayout.HashBytes), block);
        return _bytes.AsSpan(0, PrefixBytes + _layout.ContentBytes(block));
    }
}

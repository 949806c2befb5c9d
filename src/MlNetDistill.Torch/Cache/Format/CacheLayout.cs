using System.Buffers.Binary;
using System.Security.Cryptography;

namespace MlNetDistill.Cache;

/// <summary>
/// The layout of a cache file, format 1. All numbers are little-endian, there is no padding, and the header determines the length of the file.
/// <code>
/// header   8 bytes   the letters MLNDTREC
///          4         length J of the JSON text, a 32-bit integer
///          J         JSON text, UTF-8: the format's version, the library that wrote the file, the parts of the key, entries, rowsPerBlock and fields
///         32         SHA-256 of the header up to here
/// block 0, 1, ...    each of n = rowsPerBlock entries, the last one of the remaining entries
///         16 n       row ids: the low, then the high 64 bits of each
///         ...        field after field in the order of the header: the values of all n entries, an entry's values side by side
///         32         SHA-256 of: the header's SHA-256, the block's number from 0 as a 64-bit integer, the block up to here
/// footer   8         number of blocks, a 64-bit integer
///          8         number of entries, a 64-bit integer
///         32         SHA-256 of: the header's SHA-256, the SHA-256 of every block in order
/// </code>
/// An entry has the outputs for one row, or for one view of a row: then all rows of view 1 come first, then those of view 2 in the same order, and so on.
/// Fields are float32 or float16. Top-k logits have three fields: the classes (uint16, or uint32 beyond 65536 classes) by descending logit, the lower class
/// first among equals; their logits; and, always float32, log Σ exp of the other logits. Each of these is read as that value less log(classes - k).
/// Equal keys give equal bytes: the file does not depend on when, where or in how many runs it was made.
/// </summary>
internal sealed class CacheLayout
{
    public const int Version = 1;
    public const int HashBytes = 32;
    public const int IdBytes = 16;
    public const int FooterBytes = 8 + 8 + HashBytes;

    // A killed process loses the unfinished block only. With much smaller blocks, hashing and writing would take noticeable time.
    private const int MaxRowsPerBlock = 256;
    private const int MaxBlockBytes = 256 << 10;

    /// <param name="key">What is cached.</param>
    /// <param name="writtenBy">The library that wrote the file; null for this one.</param>
    public CacheLayout(CacheFileKey key, string? writtenBy = null)
    {
        Key = key;
        Fields = CacheField.CreateAll(key);
        EntryBytes = Fields.Sum(f => (long)f.Bytes);
        RowsPerBlock = (int)Math.Clamp(MaxBlockBytes / (IdBytes + EntryBytes), 1, MaxRowsPerBlock);
        Blocks = (Entries + RowsPerBlock - 1) / RowsPerBlock;
        Header = CacheHeader.Bytes(this, writtenBy ?? CacheHeader.ThisLibrary);
    }

    public CacheFileKey Key { get; }

    public IReadOnlyList<CacheField> Fields { get; }

    /// <summary>The whole header with its hash.</summary>
    public byte[] Header { get; }

    public ReadOnlySpan<byte> HeaderHash => Header.AsSpan(Header.Length - HashBytes);

    public long Entries => Key.Entries;

    /// <summary>Bytes of an entry without its row id.</summary>
    public long EntryBytes { get; }

    public int RowsPerBlock { get; }

    public long Blocks { get; }

    /// <summary>Length of the complete file in bytes.</summary>
    public long FileBytes => FooterStart + FooterBytes;

    public long FooterStart => BlockStart(Blocks - 1) + BlockBytes(Blocks - 1);

    public int RowsIn(long block) => (int)Math.Min(RowsPerBlock, Entries - (block * RowsPerBlock));

    /// <summary>Bytes of a block without its hash.</summary>
    public int ContentBytes(long block) => checked((int)(RowsIn(block) * (IdBytes + EntryBytes)));

    public int BlockBytes(long block) => ContentBytes(block) + HashBytes;

    public long BlockStart(long block) => Header.Length + (block * BlockBytes(0));

    /// <summary>Whether a file begins with this header.</summary>
    public bool HasHeader(Stream file)
    {
        var header = new byte[Header.Length];
        file.Position = 0;
        return file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) == header.Length && header.AsSpan().SequenceEqual(Header);
    }

    /// <summary>The end of the file.</summary>
    /// <param name="hashes">The hash of the header's hash and the hashes of all blocks, in order.</param>
    public byte[] CreateFooter(IncrementalHash hashes)
    {
        var footer = new byte[FooterBytes];
        BinaryPrimitives.WriteInt64LittleEndian(footer, Blocks);
        BinaryPrimitives.WriteInt64LittleEndian(footer.AsSpan(8), Entries);
        hashes.GetCurrentHash(footer.AsSpan(16));
        return footer;
    }

    /// <summary>Offset of a field in its block.</summary>
    public long FieldStart(int field, long block)
    {
        long before = IdBytes;
        for (var i = 0; i < field; i++)
            before += Fields[i].Bytes;
        return before * RowsIn(block);
    }
}

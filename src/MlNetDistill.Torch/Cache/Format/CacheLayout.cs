namespace MlNetDistill.Cache;

/// <summary>
/// Where everything stands in the file of a teacher cache, format 1. All numbers are little-endian, nothing is padded, and the length of the file follows from
/// its header.
/// <code>
/// header   8 bytes   the letters MLNDTREC
///          4         length J of the JSON text, a 32-bit integer
///          J         JSON text, UTF-8: the format's version, what wrote the file, the parts of the key, entries, rowsPerBlock and fields
///         32         SHA-256 of the header up to here
/// block 0, 1, ...    each of rowsPerBlock entries (n), the last one of what is left
///         16 n       row ids: the low, then the high 64 bits of each
///         ...        field after field in the order of the header: the values of all n entries, an entry's values side by side
///         32         SHA-256 of: the header's SHA-256, the block's number from 0 as a 64-bit integer, the block up to here
/// footer   8         number of blocks, a 64-bit integer
///          8         number of entries, a 64-bit integer
///         32         SHA-256 of: the header's SHA-256, the SHA-256 of every block in order
/// </code>
/// An entry is the answer for one row, or for one view of a row: then all rows of view 1 come first, then those of view 2 in the same order, and so on.
/// Fields are float32 or float16. Of top-k logits there are three: the classes (uint16, or uint32 beyond 65536 classes) by falling logit, the lower class
/// first among equals; their logits; and, always float32, log Σ exp of the other logits, which are read as equal: that, less log(classes - k).
/// The same key gives the same bytes: nothing in the file tells when, where or in how many runs it was made.
/// </summary>
internal sealed class CacheLayout
{
    public const int Version = 1;
    public const int HashBytes = 32;
    public const int IdBytes = 16;
    public const int FooterBytes = 8 + 8 + HashBytes;

    // A kill loses at most the block under way; below some 256 rows hashing and writing begin to cost.
    private const int MostRows = 256;
    private const int BlockTarget = 256 << 10;

    /// <param name="key">What is kept.</param>
    /// <param name="writtenBy">The library that wrote the file, where that is known; else this one.</param>
    public CacheLayout(CacheFileKey key, string? writtenBy = null)
    {
        Key = key;
        Fields = CacheField.Of(key);
        EntryBytes = Fields.Sum(f => (long)f.Bytes);
        RowsPerBlock = (int)Math.Clamp(BlockTarget / (IdBytes + EntryBytes), 1, MostRows);
        Blocks = (Entries + RowsPerBlock - 1) / RowsPerBlock;
        Header = CacheHeader.Bytes(this, writtenBy ?? CacheHeader.ThisLibrary);
    }

    public CacheFileKey Key { get; }

    public IReadOnlyList<CacheField> Fields { get; }

    /// <summary>The whole header, its hash included.</summary>
    public byte[] Header { get; }

    public ReadOnlySpan<byte> HeaderHash => Header.AsSpan(Header.Length - HashBytes);

    public long Entries => Key.Entries;

    /// <summary>Bytes of an entry without its row id.</summary>
    public long EntryBytes { get; }

    public int RowsPerBlock { get; }

    public long Blocks { get; }

    /// <summary>Length of the finished file in bytes.</summary>
    public long FileBytes => FooterStart + FooterBytes;

    public long FooterStart => BlockStart(Blocks - 1) + BlockBytes(Blocks - 1);

    public int RowsIn(long block) => (int)Math.Min(RowsPerBlock, Entries - (block * RowsPerBlock));

    /// <summary>Bytes of a block without its hash.</summary>
    public int ContentBytes(long block) => checked((int)(RowsIn(block) * (IdBytes + EntryBytes)));

    public int BlockBytes(long block) => ContentBytes(block) + HashBytes;

    public long BlockStart(long block) => Header.Length + (block * BlockBytes(0));

    /// <summary>Where in its block a field begins.</summary>
    public long FieldStart(int field, long block)
    {
        long before = IdBytes;
        for (var i = 0; i < field; i++)
            before += Fields[i].Bytes;
        return before * RowsIn(block);
    }
}

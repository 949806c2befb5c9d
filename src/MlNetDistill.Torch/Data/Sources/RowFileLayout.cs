using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace MlNetDistill.Data;

/// <summary>
/// A file of rows: a header of 4,096 bytes, the rows, and the XxHash3 of each block. The header is 8 bytes of mark, then 64-bit numbers with the low byte first:
/// version, code of the element type (<c>torch.ScalarType</c>), bytes of a row, rows of a block, number of rows (-1 while the file is written), hash of the hashes.
/// </summary>
/// <param name="ElementType">Code of the type of an element.</param>
/// <param name="RowBytes">Bytes of a row.</param>
/// <param name="Blocks">How rows are read.</param>
/// <param name="Rows">Number of rows.</param>
internal sealed record RowFileLayout(int ElementType, long RowBytes, RowBlocks Blocks, long Rows)
{
    private const long HeaderBytes = 4096;
    private const int FieldBytes = 7 * sizeof(long);
    private const long Version = 1;
    private const long Unfinished = -1;

    private static ReadOnlySpan<byte> Mark => "MNDROWS\n"u8;

    /// <summary>Bytes of a block, of the last one perhaps fewer.</summary>
    public long BlockBytes => Blocks.Rows * RowBytes;

    /// <summary>Number of blocks.</summary>
    public long BlockCount => (Rows + Blocks.Rows - 1) / Blocks.Rows;

    /// <summary>Where a row starts.</summary>
    public long Start(long row) => HeaderBytes + (row * RowBytes);

    /// <summary>Bytes of a block.</summary>
    public long BytesOf(long block) => Math.Min(Blocks.Rows, Rows - (block * Blocks.Rows)) * RowBytes;

    /// <summary>Marks the file as one that is being written.</summary>
    public void WriteUnfinished(FileStream file)
    {
        WriteHeader(file, Unfinished, 0);
        // Before any block: after a failure of the machine the header must not say that blocks are whole that are not.
        RandomAccess.FlushToDisk(file.SafeFileHandle);
    }

    /// <summary>Ends the file.</summary>
    public void WriteFinished(FileStream file, ReadOnlySpan<ulong> hashes)
    {
        var table = MemoryMarshal.AsBytes(hashes);
        RandomAccess.SetLength(file.SafeFileHandle, Start(Rows) + table.Length);
        RandomAccess.Write(file.SafeFileHandle, table, Start(Rows));
        // The header is written last, so that a finished file is whole even after the machine has failed.
        RandomAccess.FlushToDisk(file.SafeFileHandle);
        WriteHeader(file, Rows, XxHash3.HashToUInt64(table));
        RandomAccess.FlushToDisk(file.SafeFileHandle);
    }

    /// <summary>The hashes of the blocks of a finished file with rows of this kind, whatever their number; none if the file is empty, unfinished or has other rows.</summary>
    /// <exception cref="InvalidOperationException">The file was not written by this library.</exception>
    public ulong[] ReadHashes(FileStream file)
    {
        Span<byte> header = stackalloc byte[FieldBytes];
        var read = RandomAccess.Read(file.SafeFileHandle, header, 0);
        if (read == 0)
            return [];
        if (!header[..Math.Min(read, Mark.Length)].SequenceEqual(Mark))
        {
            throw new InvalidOperationException(
                $"'{file.Name}' is not a file of rows that this library has written, so it is not overwritten. Set RowStorage.Folder to a folder without such a file.");
        }

        long Field(ReadOnlySpan<byte> fields, int index) => BinaryPrimitives.ReadInt64LittleEndian(fields[(index * sizeof(long))..]);
        if (read < FieldBytes || Field(header, 1) != Version || Field(header, 2) != ElementType || Field(header, 3) != RowBytes || Field(header, 4) != Blocks.Rows)
            return [];
        // The length of the file is the bound of all that its header says.
        var length = RandomAccess.GetLength(file.SafeFileHandle);
        var rows = Field(header, 5);
        if (rows < 0 || rows > length / RowBytes)
            return [];
        var found = this with { Rows = rows };
        if (length != found.Start(rows) + (found.BlockCount * sizeof(ulong)))
            return [];
        var hashes = new ulong[found.BlockCount];
        var table = MemoryMarshal.AsBytes(hashes.AsSpan());
        return RandomAccess.Read(file.SafeFileHandle, table, found.Start(rows)) == table.Length && (long)XxHash3.HashToUInt64(table) == Field(header, 6) ? hashes : [];
    }

    private void WriteHeader(FileStream file, long rows, ulong tableHash)
    {
        Span<byte> header = stackalloc byte[FieldBytes];
        Mark.CopyTo(header);
        long[] fields = [Version, ElementType, RowBytes, Blocks.Rows, rows, (long)tableHash];
        for (var i = 0; i < fields.Length; i++)
            BinaryPrimitives.WriteInt64LittleEndian(header[((i + 1) * sizeof(long))..], fields[i]);
        RandomAccess.Write(file.SafeFileHandle, header, 0);
    }
}

using System.Buffers.Binary;
using System.IO.Hashing;
using MlNetDistill.Data;

namespace MlNetDistill.Fuzz.Readers;

/// <summary>A file of rows that an earlier training left: it is used where it has the same rows, and else written anew. In any case the rows are right.</summary>
internal sealed class RowFileReader : Reader
{
    private const int RowBytes = 12;
    private const int Rows = 100;
    private const int ElementType = 6;
    private const int HeaderBytes = 4096;
    private const int TableHashAt = 6 * sizeof(long);
    private static readonly RowBlocks Blocks = new(8, 2);
    private readonly byte[] _rows = new byte[Rows * RowBytes];
    private readonly byte[] _found = new byte[Rows * RowBytes];

    public RowFileReader() => new Random(1).NextBytes(_rows);

    public override string Name => "row-file";

    private string FilePath => Folder.File("seed.rows");

    public override void Place(byte[] input) => File.WriteAllBytes(FilePath, input);

    public override void Read(byte[] input)
    {
        using var file = Write();
        // Rows far from each other are read one by one, neighbours in blocks.
        foreach (var step in new[] { 37, 1 })
        {
            long[] order = [.. Enumerable.Range(0, Rows).Select(i => (long)(i * step % Rows))];
            file.Read(order, _found);
            for (var i = 0; i < Rows; i++)
            {
                if (!_found.AsSpan(i * RowBytes, RowBytes).SequenceEqual(_rows.AsSpan((int)order[i] * RowBytes, RowBytes)))
                    throw new WrongResultException(FormattableString.Invariant($"Row {order[i]} is not what was written."));
            }
        }
    }

    public override bool IsExpected(Exception error) => Is<InvalidOperationException>(error, $"'{FilePath}' is not a file of rows that this library has written");

    public override long Bound(int length) => (64 << 10) + (4L * length);

    public override byte[] Repair(byte[] bytes)
    {
        var blocks = (Rows + (int)Blocks.Rows - 1) / (int)Blocks.Rows;
        var table = HeaderBytes + (Rows * RowBytes);
        if (bytes.Length < table + (blocks * sizeof(ulong)))
            return bytes;
        bytes = [.. bytes];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(TableHashAt), XxHash3.HashToUInt64(bytes.AsSpan(table, blocks * sizeof(ulong))));
        return bytes;
    }

    protected override IReadOnlyList<byte[]> CreateSeeds()
    {
        File.Delete(FilePath);
        Write().Dispose();
        return [File.ReadAllBytes(FilePath)];
    }

    private RowFile Write()
    {
        using var writer = RowFileWriter.Create(Folder.Path, "seed", ElementType, RowBytes, Blocks);
        for (var row = 0; row < Rows; row++)
            _rows.AsSpan(row * RowBytes, RowBytes).CopyTo(writer.NextRow());
        return writer.Finish();
    }
}

using System.Buffers.Binary;
using MlNetDistill.Data;

namespace MlNetDistill.Tests;

/// <summary>A file of rows that an earlier training left is not trusted because of its hashes.</summary>
public sealed class DamagedRowFileTests
{
    private const int Width = 24;
    private const int HeaderBytes = 4096;
    private static readonly RowBlocks Blocks = new(Rows: 10, Together: 4);
    private string _folder = "";

    private string FilePath => Path.Combine(_folder, "data.rows");

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("rows").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void A_block_that_was_damaged_since_is_written_again_so_that_single_rows_are_right_too()
    {
        Write().File.Dispose();
        var bytes = File.ReadAllBytes(FilePath);
        bytes[HeaderBytes + (44 * Width) + 3] ^= 1;
        File.WriteAllBytes(FilePath, bytes);
        var (file, written) = Write();
        using (file)
        {
            var row = new byte[Width];
            // A single row is read without its block.
            file.Read([44], row);
            Assert.That(row, Is.EqualTo(Row(44)));
            Assert.That(written, Is.EqualTo(1));
        }
    }

    [Test]
    public void A_file_of_a_later_version_is_written_anew()
    {
        Write().File.Dispose();
        var bytes = File.ReadAllBytes(FilePath);
        bytes[8]++;
        File.WriteAllBytes(FilePath, bytes);
        var (file, written) = Write();
        file.Dispose();
        Assert.That(written, Is.EqualTo(10));
    }

    // With 2^61 rows of 24 bytes more or fewer, the length of the file is that of the true number, in 64 bits.
    [TestCase(1L << 61)]
    [TestCase(-(1L << 61))]
    public void A_number_of_rows_beyond_all_memory_is_not_believed(long more)
    {
        var single = new RowBlocks(Rows: 1, Together: 4);
        Write(single).File.Dispose();
        var bytes = File.ReadAllBytes(FilePath);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(40), 100 + more);
        File.WriteAllBytes(FilePath, bytes);
        var (file, written) = Write(single);
        file.Dispose();
        Assert.That(written, Is.EqualTo(100));
    }

    [Test]
    public void Rows_longer_than_the_header_and_the_hashes_are_not_written_again()
    {
        Assert.That(Save(), Is.EqualTo(1));
        Assert.That(Save(), Is.Zero);

        long Save()
        {
            using var writer = RowFileWriter.Create(_folder, "data", 6, 8000, Blocks);
            for (var row = 0; row < 5; row++)
                writer.NextRow().Fill((byte)row);
            writer.Finish().Dispose();
            return writer.BlocksWritten;
        }
    }

    private static byte[] Row(int row) => [.. Enumerable.Range(0, Width).Select(i => (byte)((row * 31) + i))];

    private (RowFile File, long Written) Write(RowBlocks? blocks = null)
    {
        using var writer = RowFileWriter.Create(_folder, "data", 6, Width, blocks ?? Blocks);
        for (var row = 0; row < 100; row++)
            Row(row).CopyTo(writer.NextRow());
        var file = writer.Finish();
        return (file, writer.BlocksWritten);
    }
}

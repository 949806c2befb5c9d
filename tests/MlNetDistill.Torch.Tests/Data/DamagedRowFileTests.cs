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

    private static byte[] Row(int row) => [.. Enumerable.Range(0, Width).Select(i => (byte)((row * 31) + i))];

    private (RowFile File, long Written) Write()
    {
        using var writer = RowFileWriter.Create(_folder, "data", 6, Width, Blocks);
        for (var row = 0; row < 100; row++)
            Row(row).CopyTo(writer.NextRow());
        var file = writer.Finish();
        return (file, writer.BlocksWritten);
    }
}

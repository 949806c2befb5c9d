using Microsoft.Win32.SafeHandles;
using MlNetDistill.Data;

namespace MlNetDistill.Tests;

/// <summary>Which blocks of a file of rows are in memory. The file is changed while it is open: rows of a block in memory are the same as before, others are not.</summary>
public sealed class BufferedBlocksTests
{
    private const int Width = 1000;
    private const int BlockCount = 60;
    private const byte Changed = 255;
    private static readonly RowBlocks Blocks = new(Rows: 10, Together: 4);
    private string _folder = "";
    private RowFile _file = null!;

    private string FilePath => Path.Combine(_folder, "data.rows");

    private int Capacity => (int)(_file.BufferedBytes / (Blocks.Rows * Width));

    [SetUp]
    public void WriteFile()
    {
        _folder = Directory.CreateTempSubdirectory("rows").FullName;
        using (var writer = RowFileWriter.Create(_folder, "data", 0, Width, Blocks))
        {
            for (var row = 0; row < BlockCount * Blocks.Rows; row++)
                writer.NextRow().Fill((byte)(row % 251));
            writer.Finish().Dispose();
        }

        _file = Open();
    }

    [TearDown]
    public void DeleteFile()
    {
        _file.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Test]
    public void Memory_has_the_blocks_of_a_window_and_a_few_of_the_next_but_no_more_than_there_are()
    {
        Assert.That(Capacity, Is.GreaterThan(Blocks.Together).And.LessThanOrEqualTo(2 * Blocks.Together));
        using var writer = RowFileWriter.Create(null, "few", 0, Width, Blocks);
        for (var row = 0; row < 25; row++)
            writer.NextRow().Clear();
        using var few = writer.Finish();
        Assert.That(few.BufferedBytes, Is.EqualTo(3 * Blocks.Rows * Width));
    }

    [Test]
    public void A_block_of_which_two_rows_were_read_is_kept()
    {
        Load(7);
        ChangeRows(70, 80);
        for (var row = 70; row < 80; row++)
            Assert.That(Read(row), Is.EqualTo(row % 251));
    }

    [Test]
    public void A_single_row_is_read_without_its_block()
    {
        ChangeRows(35, 36);
        Assert.That(Read(33), Is.EqualTo(33), "the change of another row is not seen");
        Assert.That(() => Read(34), Throws.InstanceOf<IOException>().With.Message.Contains("block 3 has changed"));
    }

    [Test]
    public void The_block_that_was_not_used_for_longest_makes_room()
    {
        for (var block = 0; block < Capacity; block++)
            Load(block);
        Read(0);
        Load(Capacity);
        ChangeRows(0, (Capacity + 1) * 10);
        for (var block = 0; block <= Capacity; block++)
            Assert.That(Read((block * 10) + 5), Is.EqualTo(block == 1 ? Changed : (block * 10) + 5), $"block {block}");
    }

    [Test]
    public void Blocks_take_the_memory_of_those_before()
    {
        for (var block = 0; block < Capacity; block++)
            Load(block);
        var row = new byte[Width];
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var block = Capacity; block < BlockCount; block++)
        {
            _file.Read([block * 10], row);
            _file.Read([(block * 10) + 1], row);
        }

        // Fifty blocks of 10,000 bytes; the collections grow a little.
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(100_000));
    }

    [Test]
    public void A_row_that_was_read_long_ago_does_not_bring_its_block()
    {
        ChangeRows(5, 6);
        for (var block = 0; block <= Capacity; block++)
            Read(block * 10);
        Assert.That(Read(1), Is.EqualTo(1), "as many other blocks were touched since as fit in memory");
        // That touched one more block, so that the third is now the first that is remembered.
        ChangeRows(25, 26);
        Assert.That(() => Read(21), Throws.InstanceOf<IOException>().With.Message.Contains("block 2 has changed"));
    }

    [TestCase(0)]
    [TestCase(10)]
    public void A_file_that_ends_within_a_row_is_an_error(int left)
    {
        var rows = BlockCount * (int)Blocks.Rows;
        var start = 4096 + ((rows - 1) * Width);
        using (var handle = Other())
            RandomAccess.SetLength(handle, start + left);
        Assert.That(() => Read(rows - 1), Throws.InstanceOf<IOException>()
            .With.Message.Contains($"it ends at byte {start + left}, before byte {start + Width} of its rows")
            .And.Message.Contains("No other program may write to it").And.Message.Contains("fit again")
            .And.Message.Contains(FilePath));
    }

    [Test]
    public void Nothing_is_read_after_the_file_was_disposed_of()
    {
        Load(3);
        _file.Dispose();
        Assert.That(() => Read(35), Throws.InstanceOf<ObjectDisposedException>());
    }

    private RowFile Open()
    {
        // Other handles may write to it, unlike to the one of the writer.
        var stream = new FileStream(FilePath, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        var layout = new RowFileLayout(0, Width, Blocks, BlockCount * Blocks.Rows);
        return new RowFile(stream, layout, layout.ReadHashes(stream));
    }

    private SafeFileHandle Other() => File.OpenHandle(FilePath, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);

    /// <summary>Brings a block into memory.</summary>
    private void Load(int block)
    {
        Read(block * 10);
        Read((block * 10) + 1);
    }

    private byte Read(int row)
    {
        var bytes = new byte[Width];
        _file.Read([row], bytes);
        Assert.That(bytes, Has.All.EqualTo(bytes[0]));
        return bytes[0];
    }

    private void ChangeRows(int from, int to)
    {
        using var handle = Other();
        var bytes = new byte[(to - from) * Width];
        Array.Fill(bytes, Changed);
        RandomAccess.Write(handle, bytes, 4096 + (from * Width));
    }
}

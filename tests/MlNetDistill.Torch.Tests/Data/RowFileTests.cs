using System.Diagnostics;
using MlNetDistill.Data;

namespace MlNetDistill.Tests;

/// <summary>Rows in a file: they come back as they were written, in any order, or there is an error.</summary>
public sealed class RowFileTests
{
    private const int Width = 24;
    private static readonly RowBlocks Blocks = new(Rows: 10, Together: 4);
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("rows").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Rows_come_back_in_any_order([Values(1, 9, 10, 11, 237)] int count, [Values] bool isKept)
    {
        using var file = Write(Rows(count), isKept ? _folder : null).File;
        long[][] orders =
        [
            [.. Enumerable.Range(0, count)],
            [.. Enumerable.Range(0, count).Reverse()],
            [.. Enumerable.Range(0, 500).Select(i => i * 7919L % count)],
        ];
        foreach (var order in orders)
            Assert.That(Read(file, order), Is.EqualTo(order.Select(row => Rows(count)[row])));
        Assert.That(file.Rows, Is.EqualTo(count));
    }

    [Test]
    public void A_temporary_file_has_no_name_while_it_is_used()
    {
        var before = Directory.GetFiles(Path.GetTempPath(), "MlNetDistill-*.rows");
        using var file = Write(Rows(30), null).File;
        if (!OperatingSystem.IsWindows())
            Assert.That(Directory.GetFiles(Path.GetTempPath(), "MlNetDistill-*.rows"), Is.EquivalentTo(before));
        file.Dispose();
        Assert.That(Directory.GetFiles(Path.GetTempPath(), "MlNetDistill-*.rows"), Is.EquivalentTo(before));
    }

    [Test]
    public void Only_blocks_that_differ_are_written_again()
    {
        Assert.That(WriteAndClose(Rows(95)), Is.EqualTo(10));
        Assert.That(WriteAndClose(Rows(95)), Is.Zero);
        var changed = Rows(95);
        changed[44][3]++;
        Assert.That(WriteAndClose(changed), Is.EqualTo(1));
        // The last block has rows that were not there before, and two blocks are new.
        Assert.That(WriteAndClose([.. changed, .. Rows(20)]), Is.EqualTo(3));
        Assert.That(WriteAndClose(Rows(12)), Is.EqualTo(1));
        using var file = Write(Rows(12), _folder).File;
        Assert.That(Read(file, [11, 0, 5]), Is.EqualTo(new[] { Rows(12)[11], Rows(12)[0], Rows(12)[5] }));
        Assert.That(new FileInfo(Path.Combine(_folder, "data.rows")).Length, Is.EqualTo(4096 + (12 * Width) + (2 * 8)));
    }

    [Test]
    public void A_file_whose_writer_was_killed_is_written_anew()
    {
        WriteAndClose(Rows(95));
        var path = Path.Combine(_folder, "data.rows");
        using (var writer = Create(_folder))
        {
            foreach (var row in Rows(50).Reverse())
                row.CopyTo(writer.NextRow());
        }

        Assert.That(File.Exists(path));
        Assert.That(WriteAndClose(Rows(95)), Is.EqualTo(10));
        using var file = Write(Rows(95), _folder).File;
        Assert.That(Read(file, [0, 94]), Is.EqualTo(new[] { Rows(95)[0], Rows(95)[94] }));
    }

    [TestCase(7, TestName = "A_file_with_a_changed_version_is_written_anew")]
    [TestCase(24, TestName = "A_file_with_a_changed_row_length_is_written_anew")]
    [TestCase(41, TestName = "A_file_with_a_changed_number_of_rows_is_written_anew")]
    [TestCase(46, TestName = "A_file_with_a_huge_number_of_rows_is_written_anew")]
    [TestCase(50, TestName = "A_file_with_a_changed_hash_is_written_anew")]
    public void A_file_with_a_changed_header_is_written_anew(int at)
    {
        WriteAndClose(Rows(95));
        Change(at == 7 ? 8 : at);
        Assert.That(WriteAndClose(Rows(95)), Is.EqualTo(10));
    }

    [Test]
    public void A_file_of_something_else_is_not_overwritten()
    {
        var path = Path.Combine(_folder, "data.rows");
        File.WriteAllText(path, "The rows of the garden.");
        Assert.That(() => Create(_folder), Throws.InvalidOperationException.With.Message.Contains($"'{path}' is not a file of rows"));
        Assert.That(File.ReadAllText(path), Is.EqualTo("The rows of the garden."));
    }

    [Test]
    public void Two_trainings_in_one_folder_have_files_of_their_own()
    {
        using var first = Write(Rows(30), _folder).File;
        using var second = Write([.. Rows(30).Reverse()], _folder).File;
        Assert.That(Read(first, [0]), Is.EqualTo(new[] { Rows(30)[0] }));
        Assert.That(Read(second, [0]), Is.EqualTo(new[] { Rows(30)[29] }));
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "There, no other program can change the file.")]
    public void A_file_that_another_program_changes_is_not_read_on()
    {
        var (file, _) = Write(Rows(95), _folder);
        Shell($"printf x | dd of=data.rows bs=1 seek={4096 + (31 * Width)} conv=notrunc");
        Assert.That(() => Read(file, [30, 32]), Throws.InstanceOf<IOException>().With.Message.Contains("block 3 has changed since it was written"));
        file.Dispose();
        Assert.That(WriteAndClose(Rows(95)), Is.EqualTo(10), "the next training writes the file anew");
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "There, no other program can change the file.")]
    public void A_file_that_another_program_cuts_is_an_error_and_does_not_end_the_process()
    {
        using var file = Write(Rows(95), _folder).File;
        Shell("truncate -s 5000 data.rows");
        Assert.That(() => Read(file, [94]), Throws.InstanceOf<IOException>().With.Message.Contains("it ends at byte 5000, before byte"));
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "There, no other program can change the file.")]
    public void Rows_as_long_as_a_block_are_checked_too()
    {
        using var writer = RowFileWriter.Create(_folder, "data", 0, Width, new RowBlocks(Rows: 1, Together: 2));
        foreach (var row in Rows(9))
            row.CopyTo(writer.NextRow());
        using var file = writer.Finish();
        Shell($"printf x | dd of=data.rows bs=1 seek={4096 + (4 * Width)} conv=notrunc");
        Assert.That(Read(file, [3]), Is.EqualTo(new[] { Rows(9)[3] }));
        Assert.That(() => Read(file, [4]), Throws.InstanceOf<IOException>().With.Message.Contains("block 4 has changed"));
    }

    [Test]
    public void Blocks_that_are_read_ahead_change_nothing_and_hold_nothing_up()
    {
        for (var round = 0; round < 20; round++)
        {
            using var file = Write(Rows(95), null).File;
            Parallel.For(0, 4, i => file.ReadAhead([.. Enumerable.Range(0, 10).Select(block => (long)((block + i) % 10))]));
            Assert.That(Read(file, [94, 1]), Is.EqualTo(new[] { Rows(95)[94], Rows(95)[1] }));
        }
    }

    [Test]
    public void A_folder_that_cannot_be_made_is_named()
    {
        var path = Path.Combine(_folder, "file");
        File.WriteAllText(path, "");
        Assert.That(() => Create(Path.Combine(path, "in")), Throws.InvalidOperationException.With.Message.Contains($"RowStorage.Folder '{Path.Combine(path, "in")}'"));
    }

    private static byte[][] Rows(int count) => [.. Enumerable.Range(0, count).Select(row => Enumerable.Range(0, Width).Select(i => (byte)((row * 31) + i)).ToArray())];

    private static RowFileWriter Create(string? folder) => RowFileWriter.Create(folder, "data", 0, Width, Blocks);

    private static (RowFile File, long BlocksWritten) Write(byte[][] rows, string? folder)
    {
        using var writer = Create(folder);
        foreach (var row in rows)
            row.CopyTo(writer.NextRow());
        var file = writer.Finish();
        return (file, writer.BlocksWritten);
    }

    private long WriteAndClose(byte[][] rows)
    {
        var (file, written) = Write(rows, _folder);
        file.Dispose();
        return written;
    }

    private static byte[][] Read(RowFile file, long[] rows)
    {
        var bytes = new byte[rows.Length * Width];
        file.Read(rows, bytes);
        return [.. bytes.Chunk(Width)];
    }

    // This process cannot open the file, which is locked.
    private void Shell(string command)
    {
        using var process = Process.Start(new ProcessStartInfo("sh", ["-c", command]) { WorkingDirectory = _folder, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, error);
    }

    private void Change(long at)
    {
        using var file = File.OpenHandle(Path.Combine(_folder, "data.rows"), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        var value = new byte[1];
        RandomAccess.Read(file, value, at);
        value[0] ^= 0x55;
        RandomAccess.Write(file, value, at);
    }
}

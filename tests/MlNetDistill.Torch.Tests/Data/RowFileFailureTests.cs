using Microsoft.Win32.SafeHandles;
using MlNetDistill.Data;

namespace MlNetDistill.Tests;

/// <summary>A file of rows that cannot be written: the error names it, and the disk gets back what was written in vain.</summary>
public sealed class RowFileFailureTests
{
    private const int Width = 24;
    private const int Written = 60;
    private static readonly RowFileLayout Layout = new(0, Width, new RowBlocks(Rows: 10, Together: 4), 0);
    private string _folder = "";

    private string FilePath => Path.Combine(_folder, "data.rows");

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("rows").FullName;

    [TearDown]
    public void DeleteFolder()
    {
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }

    [Test]
    public void The_error_says_how_far_the_file_came_and_what_to_do()
    {
        using var stream = new BreakableStream(FilePath);
        var error = Fail(stream, isKept: true)!;
        Assert.That(error.Message, Does.StartWith($"The file of training rows '{FilePath}' cannot be written: ")
            .And.Contains("After 60 rows it has 1,440 bytes.")
            .And.Contains("Choose a folder that this process may write to. Set RowStorage.Folder"));
        Assert.That(error.InnerException, Is.InstanceOf<UnauthorizedAccessException>());
    }

    [Test]
    public void A_new_file_is_deleted_and_stays_locked_until_then()
    {
        using var stream = new BreakableStream(FilePath);
        using var writer = new RowFileWriter(stream, Layout, isKept: true);
        Assert.That(() => WriteInVain(writer, stream), Throws.InvalidOperationException);
        Assert.That(File.Exists(FilePath), Is.False);
        Assert.That(stream.CanWrite, Is.Not.EqualTo(OperatingSystem.IsWindows()), "Windows deletes no open file");
    }

    [Test]
    public void A_file_of_an_earlier_training_stays()
    {
        using (var writer = RowFileWriter.Create(_folder, "data", 0, Width, Layout.Blocks))
        {
            writer.NextRow().Clear();
            writer.Finish().Dispose();
        }

        using var stream = new BreakableStream(FilePath);
        Fail(stream, isKept: true);
        Assert.That(File.Exists(FilePath));
    }

    [Test]
    public void A_temporary_file_is_left_to_the_system()
    {
        using var stream = new BreakableStream(FilePath);
        Fail(stream, isKept: false);
        Assert.That(File.Exists(FilePath));
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "There, no folder with an open file can be deleted.")]
    public void The_failure_to_write_is_the_error_even_where_the_folder_is_gone()
    {
        using var stream = new BreakableStream(FilePath);
        using var writer = new RowFileWriter(stream, Layout, isKept: true);
        Directory.Delete(_folder, recursive: true);
        Assert.That(() => WriteInVain(writer, stream), Throws.InvalidOperationException.With.Message.Contains($"'{FilePath}' cannot be written"));
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "There, the temporary folder has another variable.")]
    [NonParallelizable]
    public void A_temporary_folder_that_there_is_not_is_named()
    {
        var before = Environment.GetEnvironmentVariable("TMPDIR");
        var missing = Path.Combine(_folder, "missing") + "/";
        try
        {
            Environment.SetEnvironmentVariable("TMPDIR", missing);
            Assert.That(
                () => RowFileWriter.Create(null, "data", 0, Width, Layout.Blocks),
                Throws.InvalidOperationException.With.Message.Contains($"the temporary folder '{missing}'").And.Message.Contains("Set RowStorage.Folder")
                    .And.InnerException.InstanceOf<DirectoryNotFoundException>());
        }
        finally
        {
            Environment.SetEnvironmentVariable("TMPDIR", before);
        }
    }

    private static InvalidOperationException? Fail(BreakableStream stream, bool isKept)
    {
        using var writer = new RowFileWriter(stream, Layout, isKept);
        return Assert.Throws<InvalidOperationException>(() => WriteInVain(writer, stream));
    }

    private static void WriteInVain(RowFileWriter writer, BreakableStream stream)
    {
        for (var row = 0; row < Written; row++)
            writer.NextRow().Clear();
        stream.IsBroken = true;
        writer.NextRow();
    }

    /// <summary>A file that can only be read from some moment on.</summary>
    private sealed class BreakableStream(string path) : FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete)
    {
        private readonly SafeFileHandle _readable = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

        public bool IsBroken { get; set; }

        public override SafeFileHandle SafeFileHandle => IsBroken ? _readable : base.SafeFileHandle;

        protected override void Dispose(bool disposing)
        {
            _readable?.Dispose();
            base.Dispose(disposing);
        }
    }
}

using MlNetDistill.Data;

namespace MlNetDistill.Tests;

/// <summary>Which files a folder of rows has.</summary>
public sealed class RowFileNameTests
{
    private string _root = "";

    private string Folder => Path.Combine(_root, "a", "folder");

    private IEnumerable<string?> Names => Directory.GetFiles(Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal);

    [SetUp]
    public void MakeFolder() => _root = Directory.CreateTempSubdirectory("rows").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_root, recursive: true);

    [Test]
    public void Files_that_are_used_at_the_same_time_are_numbered_in_a_folder_that_is_made_for_them()
    {
        using var first = Create();
        using var second = Create();
        using var third = Create();
        Assert.That(Names, Is.EqualTo(new[] { "data-2.rows", "data-3.rows", "data.rows" }));
    }

    [Test]
    public void A_file_that_was_not_finished_is_used_again()
    {
        using (var first = Create())
            first.NextRow().Clear();
        using var second = Create();
        Assert.That(Names, Is.EqualTo(new[] { "data.rows" }));
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "There, links need a right of their own.")]
    public void A_file_that_cannot_be_opened_is_an_error_and_gets_no_number()
    {
        Directory.CreateDirectory(Folder);
        var path = Path.Combine(Folder, "data.rows");
        File.CreateSymbolicLink(path, path);
        Assert.That(Create, Throws.InvalidOperationException.With.Message.Contains($"RowStorage.Folder '{Folder}'").And.InnerException.InstanceOf<IOException>());
        Assert.That(Names, Is.EqualTo(new[] { "data.rows" }));
    }

    [Test]
    public void Without_a_row_there_is_no_block()
    {
        using var writer = Create();
        using var file = writer.Finish();
        Assert.That((writer.BlocksWritten, file.Rows), Is.EqualTo((0, 0)));
        Assert.That(new FileInfo(Path.Combine(Folder, "data.rows")).Length, Is.EqualTo(4096), "the header alone");
    }

    private RowFileWriter Create() => RowFileWriter.Create(Folder, "data", 0, 24, new RowBlocks(Rows: 10, Together: 4));
}

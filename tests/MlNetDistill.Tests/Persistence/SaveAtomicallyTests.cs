using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Persistence;

public sealed class SaveAtomicallyTests
{
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly IDataView _points;
    private ToyFolder _folder = null!;

    public SaveAtomicallyTests() => _points = _mlContext.View(ToyData.Points());

    [SetUp]
    public void MakeFolder() => _folder = new ToyFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void A_student_saved_over_an_old_file_replaces_it()
    {
        var path = OldFile();
        var model = ToyModels.Points;
        var keyed = model.Transform(_points);
        model.LastTransformer.SaveAtomically(path);
        Assert.That(ModelScores.ReadLines(_mlContext.Loaded(path).Transform(keyed)), Is.EqualTo(ModelScores.ReadLines(keyed)));
        Assert.That(_folder.Entries, Is.EqualTo(new[] { "student.zip" }));
    }

    [Test]
    public void A_whole_pipeline_saved_over_an_old_file_replaces_it()
    {
        var path = OldFile();
        var model = ToyModels.Points;
        _mlContext.Model.SaveAtomically(model, _points.Schema, path);
        Assert.That(ModelScores.ReadLines(_mlContext.Loaded(path).Transform(_points)), Is.EqualTo(ModelScores.ReadLines(model.Transform(_points))));
        Assert.That(_folder.Entries, Is.EqualTo(new[] { "student.zip" }));
    }

    [Test]
    public void A_model_whose_Save_throws_leaves_the_old_file()
    {
        var path = OldFile();
        Assert.That(() => _mlContext.Model.SaveAtomically(new Saving(() => throw new NotSupportedException()), _points.Schema, path), Throws.TypeOf<NotSupportedException>());
        Assert.That(File.ReadAllText(path), Is.EqualTo("old"));
        Assert.That(_folder.Entries, Is.EqualTo(new[] { "student.zip" }));
    }

    [Test]
    public void A_pipeline_that_throws_after_the_student_was_written_leaves_the_old_file()
    {
        var path = OldFile();
        var temporary = Directory.CreateDirectory(_folder.File("temporary"));
        var mlContext = new MLContext { TempFilePath = temporary.FullName };
        var model = new TransformerChain<ITransformer>(ToyModels.Points, new Saving(() => throw new NotSupportedException()));
        Assert.That(() => mlContext.Model.SaveAtomically(model, _points.Schema, path), Throws.TypeOf<NotSupportedException>());
        Assert.That(File.ReadAllText(path), Is.EqualTo("old"));
        Assert.That(_folder.Entries, Is.EqualTo(new[] { "student.zip", "temporary" }), "the parts of the model are deleted");
    }

    [Test]
    public void A_folder_in_the_place_of_the_file_stays_and_no_temporary_file_does()
    {
        var path = _folder.File("taken");
        Directory.CreateDirectory(path);
        File.WriteAllText(Path.Combine(path, "inside"), "old");
        Assert.That(() => ToyModels.Points.LastTransformer.SaveAtomically(path), Throws.InstanceOf<IOException>().Or.InstanceOf<UnauthorizedAccessException>());
        Assert.That(_folder.Entries, Is.EqualTo(new[] { "taken", Path.Combine("taken", "inside") }));
    }

    [Test]
    public void A_missing_folder_is_an_error_and_is_not_made()
    {
        Assert.That(
            () => ToyModels.Points.LastTransformer.SaveAtomically(_folder.File(Path.Combine("missing", "student.zip"))),
            Throws.TypeOf<DirectoryNotFoundException>().With.Message.Match("^'.+' cannot be written: the folder '.+' does not exist. Create it first.$"));
        Assert.That(_folder.Entries, Is.Empty);
    }

    [Test]
    public void A_folder_that_vanishes_while_the_model_is_written_is_named_with_what_to_do()
    {
        if (OperatingSystem.IsWindows())
            Assert.Ignore("Windows deletes no folder with an open file.");
        var folder = Directory.CreateDirectory(_folder.File("vanishing"));
        var path = Path.Combine(folder.FullName, "student.zip");
        var model = new TransformerChain<ITransformer>(ToyModels.Points, new Saving(() => folder.Delete(recursive: true)));
        Assert.That(() => _mlContext.Model.SaveAtomically(model, _points.Schema, path), Throws.InstanceOf<IOException>().With.Message.Match(
            $"^'{path}' cannot be written: .+ bytes of the model had been written. A file that was there before is unchanged. The folder '{folder.FullName}' has vanished: create it again, or choose another.$"));
        Assert.That(_folder.Entries, Is.Empty);
    }

    private string OldFile()
    {
        var path = _folder.File("student.zip");
        File.WriteAllText(path, "old");
        return path;
    }

    /// <summary>Does something while it is saved.</summary>
    private sealed class Saving(Action act) : ITransformer
    {
        public bool IsRowToRowMapper => false;

        public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => inputSchema;

        public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => throw new NotSupportedException();

        public IDataView Transform(IDataView input) => input;

        public void Save(ModelSaveContext ctx) => act();
    }
}

using System.Text.Json;
using Microsoft.ML;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Evaluation.Report;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Compatibility;

/// <summary>Files that version 0.1.0 wrote are read, and give the values that they gave then.</summary>
public sealed class StoredFileTests
{
    private const string NewFolder = "MLNETDISTILL_WRITE_COMPATIBILITY";

    // Processors add in different orders; bytes are rounded before they are added.
    private const double Rounding = 1e-5;
    private const double RoundingOfBytes = 0.02;
    private const int MostBytes = 100_000;
    private readonly MLContext _context = new(seed: 1);

    [OneTimeSetUp]
    public void Write_new_files_where_the_variable_names_a_folder()
    {
        if (Environment.GetEnvironmentVariable(NewFolder) is not { Length: > 0 } folder)
            return;
        NewFiles.Write(folder);
        Assert.Fail($"The files of this version were written to '{folder}'. Put them beside the others with a release, and unset {NewFolder}.");
    }

    [Test]
    public void A_student_scores_as_it_did([ValueSource(typeof(StoredReading), nameof(StoredReading.Students))] string name)
    {
        var tolerance = name.Contains("int8", StringComparison.Ordinal) ? RoundingOfBytes : Rounding;
        AssertNear(StoredReading.Scores(StoredFiles.PathOf(name), _context), StoredFiles.ReadValues(name), tolerance);
    }

    [Test]
    public void A_student_scores_in_batches_as_it_did([ValueSource(typeof(StoredReading), nameof(StoredReading.Students))] string name)
    {
        var tolerance = name.Contains("int8", StringComparison.Ordinal) ? RoundingOfBytes : Rounding;
        var model = _context.Model.LoadVerified(StoredFiles.PathOf(name), out _);
        using var scorer = _context.Model.CreateBatchScorer(model, StoredFiles.View(_context).Schema);
        AssertNear(StoredReading.Scores(scorer, _context), StoredFiles.ReadValues(name), tolerance);
    }

    [Test]
    public void A_student_scores_in_a_process_that_knows_ML_NET_alone()
    {
        var (path, rows) = (StoredFiles.PathOf("student.zip"), StoredFiles.View(_context));
        var model = _context.Model.LoadVerified(path, out _);
        var there = ToyLoader.Score(_context, model, rows, zip => File.Copy(path, zip), column: "Score");
        Assert.That(there, Is.EqualTo(model.Scores(rows).Select(row => string.Join(' ', row.Select(value => BitConverter.SingleToUInt32Bits(value).ToString("x8"))))));
    }

    [Test]
    public void A_teacher_cache_is_used_as_it_was()
    {
        using var folder = new ToyFolder();
        var file = Directory.GetFiles(Path.GetDirectoryName(StoredFiles.PathOf("x"))!, "*.teacher").Single();
        Assert.That(Path.GetFileName(file), Is.EqualTo(StoredReading.CacheKey.FileName));
        File.Copy(file, folder.File(Path.GetFileName(file)));
        AssertNear(StoredReading.Cache(folder.Path), StoredFiles.ReadValues(StoredReading.CacheName), Rounding);
    }

    [Test]
    public void A_checkpoint_gives_the_same_network() =>
        AssertNear(StoredReading.Checkpoint(StoredFiles.PathOf(StoredReading.CheckpointName)), StoredFiles.ReadValues(StoredReading.CheckpointName), Rounding);

    [Test]
    public void A_training_state_has_the_same_counters_and_tensors() =>
        AssertNear(StoredReading.State(StoredFiles.PathOf(StoredReading.StateName)), StoredFiles.ReadValues(StoredReading.StateName), Rounding);

    [Test]
    public void A_checkpoint_directory_has_the_same_student_and_history()
    {
        var folder = StoredFiles.PathOf(StoredReading.TrainingName);
        AssertNear(StoredReading.Training(folder, _context), StoredFiles.ReadValues(StoredReading.TrainingName), Rounding);
        var student = Checkpoint.Open(folder).Student!;
        Assert.That((student.IsFinished, student.Epochs, student.Steps, student.History.Count), Is.EqualTo((false, 1, 15L, 1)));
    }

    [TestCase("""{"network":"mlp","Hidden":[64,32],"InputScaling":"Auto"}""", "MLP 64-32")]
    public void A_network_is_described_as_it_was(string json, string name) => Assert.That(NetworkSpec.FromJson(json).Name, Is.EqualTo(name));

    [Test]
    public void Whoever_reads_a_report_finds_every_figure_where_it_was()
    {
        using var before = JsonDocument.Parse(File.ReadAllText(StoredFiles.PathOf("report.json")));
        using var now = JsonDocument.Parse(ReportSamples.Complete(Rows.Classes, 200, seed: 1).ToJson());
        Assert.That(now.RootElement.GetProperty("format").GetInt32(), Is.EqualTo(before.RootElement.GetProperty("format").GetInt32()));
        Assert.That(Places(now.RootElement, ""), Is.SupersetOf(Places(before.RootElement, "")));
    }

    [Test]
    public void The_files_are_small()
    {
        foreach (var file in new DirectoryInfo(Path.GetDirectoryName(StoredFiles.PathOf("x"))!).GetFiles())
            Assert.That(file.Length, Is.LessThan(MostBytes), file.Name);
    }

    private static void AssertNear(double[][] found, double[][] expected, double tolerance)
    {
        Assert.That(found.Select(row => row.Length), Is.EqualTo(expected.Select(row => row.Length)));
        Assert.That(found.SelectMany(row => row), Is.EqualTo(expected.SelectMany(row => row)).Within(tolerance));
    }

    /// <summary>The path and the kind of every value; entries of a list have one path.</summary>
    private static IEnumerable<string> Places(JsonElement value, string path) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().SelectMany(property => Places(property.Value, $"{path}/{property.Name}")).Distinct(),
        JsonValueKind.Array => value.EnumerateArray().SelectMany(entry => Places(entry, $"{path}/*")).Append($"{path}: a list").Distinct(),
        var kind => [$"{path}: {(kind is JsonValueKind.True or JsonValueKind.False ? "a Boolean" : kind)}"],
    };
}

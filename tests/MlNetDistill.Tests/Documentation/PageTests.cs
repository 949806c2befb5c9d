using System.Text.RegularExpressions;
using Microsoft.ML;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Documentation;

/// <summary>The pages for users: their code compiles and runs, and their links lead somewhere. Whole programs are run by the tests of the packages.</summary>
[Category("NoCulture")]
public sealed partial class PageTests
{
    private static readonly string[] Snippets = ["checkpoint", "checkpoints", "evidence", "find", "precision", "route", "search", "teachers"];

    private ToyFolder _folder = null!;

    public static IEnumerable<string> Pages => CodeBlock.Pages;

    [SetUp]
    public void InAFolderOfItsOwn() => _folder = new ToyFolder();

    [TearDown]
    public void Delete() => _folder.Dispose();

    [TestCaseSource(nameof(Pages))]
    public void Every_code_block_of_a_page_compiles(string page) =>
        Assert.That(CodeBlock.FindAll(page).SelectMany(DocumentedCode.Faults), Is.Empty);

    [Test]
    public void A_code_block_that_does_not_compile_is_found_with_its_line()
    {
        var wrong = new CodeBlock("page.md", 7, "", "", [], [], "using MlNetDistill.Methods;\n\nvar method = DistillationMethod.NoSuchMethod();\n");

        Assert.That(DocumentedCode.Faults(wrong), Has.Length.EqualTo(1).And.All.Contains("page.md(9,").And.All.Contains("NoSuchMethod"));
    }

    [Test]
    public void Every_block_that_is_to_be_run_is_run_here() => Assert.That(
        CodeBlock.Pages.SelectMany(CodeBlock.FindAll).Select(block => block.Snippet).Where(name => name.Length > 0).Order(), Is.EqualTo(Snippets));

    [TestCase("README.md")]
    [TestCase("src/MlNetDistill.Torch/README.md")]
    [TestCase("src/MlNetDistill.Scoring/README.md")]
    public void Every_link_of_a_readme_leads_to_a_file_of_the_repository_or_out_of_it(string page)
    {
        var links = Link().Matches(File.ReadAllText(Path.Combine(Repository.Root, page))).Select(m => m.Groups[1].Value).ToArray();

        Assert.That(links, Is.Not.Empty);
        foreach (var link in links.Where(link => !link.StartsWith("https://", StringComparison.Ordinal)))
            Assert.That(Path.Combine(Repository.Root, Path.GetDirectoryName(page)!, link.Split('#')[0]), Does.Exist);
    }

    /// <summary>Names of code blocks are the compiler's business; those in sentences are looked up here.</summary>
    [TestCaseSource(nameof(Pages))]
    public void Names_in_the_sentences_of_a_page_are_those_of_the_code(string page) =>
        Assert.That(DocumentedNames.Unknown(File.ReadAllText(Path.Combine(Repository.Root, page))), Is.Empty);

    [Test]
    public void A_name_that_no_code_has_is_found() => Assert.That(
        DocumentedNames.Unknown("`Optimizer.Sgd` and `MinimumAccuracyKept`, `InitialWeights.Of(network)`, `a.md`"),
        Is.EqualTo(new[] { "MinimumAccuracyKept", "InitialWeights.Of" }));

    [Test]
    public void Every_setting_has_its_line_in_the_table_of_settings()
    {
        var named = File.ReadLines(Path.Combine(Repository.Root, "docs", "training.md"))
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .SelectMany(line => Quoted().Matches(line.Split('|')[1]))
            .Select(match => match.Groups[1].Value);

        Assert.That(named, Is.EquivalentTo(typeof(DistillationOptions).GetProperties().Select(property => property.Name)));
    }

    [Test]
    public void The_README_is_short() => Assert.That(new FileInfo(Path.Combine(Repository.Root, "README.md")), Has.Length.LessThan(10_000));

    [Test]
    public void The_evidence_accepts_a_student_that_does_its_teachers_job()
    {
        var (rows, test) = (DocumentedRow.Draw(600, seed: 1), DocumentedRow.Draw(300, seed: 2));
        var mlContext = new MLContext(seed: 1);
        var train = mlContext.Data.LoadFromEnumerable(rows);
        var forest = mlContext.Transforms.Conversion.MapValueToKey("Label")
            .Append(mlContext.MulticlassClassification.Trainers.OneVersusAll(mlContext.BinaryClassification.Trainers.FastTree()))
            .Fit(train);
        var model = Prepared(mlContext)
            .Append(mlContext.MulticlassClassification.Trainers.Distill(
                Teacher.FromTransformer(forest), NetworkSpec.Mlp(128), labelColumnName: "Class", featureColumnName: "Scaled"))
            .Fit(train);
        mlContext.Model.Save(model, train.Schema, _folder.File("student.zip"));

        Run("find", [model]);
        Run("precision", [mlContext, train, mlContext.Data.LoadFromEnumerable(test), model]);
        var exitCode = Run("evidence", [mlContext, train, mlContext.Data.LoadFromEnumerable(test), forest, model, test]);

        Assert.That(exitCode, Is.Zero);
        Assert.That(new FileInfo(_folder.File("student.onnx")), Has.Length.GreaterThan(0));
        Assert.That(new FileInfo(_folder.File("small.zip")), Has.Length.LessThan(new FileInfo(_folder.File("student.zip")).Length));
        Assert.That(File.ReadAllText(_folder.File("report/report.html")), Does.Contain("Letters").And.Contain("Accepted"));
    }

    [Test]
    public void The_search_finds_a_student_and_saves_it()
    {
        var mlContext = new MLContext(seed: 1);
        var train = mlContext.Data.LoadFromEnumerable(DocumentedRow.Draw(600, seed: 1));

        var result = (SearchResult)Run("search", [mlContext, train], "result")!;

        Assert.That(result.Leaderboard, Is.Not.Empty);
        Assert.That(mlContext.Loaded(_folder.File("student.zip")).Transform(train).Schema.GetColumnOrNull("Score"), Is.Not.Null);
    }

    [Test]
    public void The_student_in_the_checkpoints_is_the_one_that_was_trained()
    {
        var mlContext = new MLContext(seed: 1);
        var rows = mlContext.Data.LoadFromEnumerable(DocumentedRow.Draw(300, seed: 1));
        var train = Prepared(mlContext).Fit(rows).Transform(rows);

        var model = (DistillationTransformer)Run("checkpoints", [mlContext, train], "model")!;
        Run("checkpoint", [mlContext]);

        Assert.That(File.Exists(_folder.File("so-far.zip")));
        Assert.That(Checkpoint.Open(_folder.File("checkpoints")).CreateStudent(mlContext).Scores(train), Is.EqualTo(model.Scores(train)));
    }

    [Test]
    public void The_route_is_followed_to_its_end()
    {
        var progress = new RowsProgress();
        var mlContext = new MLContext(seed: 1);
        var view = mlContext.Data.LoadFromEnumerable(DocumentedRow.Draw(300, seed: 1));

        var trainer = (DistillationTrainer)Run("route", [mlContext, progress], "trainer")!;
        trainer.Fit(Prepared(mlContext).Fit(view).Transform(view));

        Assert.That(progress.Reports.Select(r => r.Stage).Distinct(), Is.EqualTo(new[] { "teacher", "DIST, epoch 20", "DIST, epoch 40 (final)" }));
    }

    [Test]
    public void A_preflight_shows_the_teachers_before_they_teach()
    {
        File.Copy(RealRows.PathOf("letter-teacher.onnx"), _folder.File("teacher.onnx"));
        var mlContext = new MLContext(seed: 1);
        var rows = mlContext.Letters();
        var train = Prepared(mlContext).Fit(rows).Transform(rows);
        var forest = mlContext.Transforms.Conversion.MapValueToKey("TeacherClass", "Label")
            .Append(mlContext.MulticlassClassification.Trainers.SdcaMaximumEntropy("TeacherClass")).Fit(train);
        string[] letters = [.. Enumerable.Range('A', 26).Select(c => $"{(char)c}")];

        var trainer = (DistillationTrainer)Run("teachers", [mlContext, train, forest, letters], "trainer")!;

        var before = Environment.CurrentDirectory;
        Environment.CurrentDirectory = _folder.Path;
        try
        {
            Assert.That(trainer.Preflight(train).Teacher!.Accuracy, Is.GreaterThan(0.9));
        }
        finally
        {
            Environment.CurrentDirectory = before;
        }
    }

    private object? Run(string snippet, object[] given, string? result = null) => DocumentedCode.Run(
        CodeBlock.Pages.SelectMany(CodeBlock.FindAll).Single(block => block.Snippet == snippet), _folder.Path, given, result);

    private static IEstimator<ITransformer> Prepared(MLContext mlContext) => mlContext.Transforms.Conversion.MapValueToKey("Class", "Label")
        .Append(mlContext.Transforms.NormalizeMeanVariance("Scaled", "Features", fixZero: false));

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();
}

using System.Text.RegularExpressions;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Cache;
using MlNetDistill.Evaluation;
using MlNetDistill.Fitting;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Reporting;
using MlNetDistill.Teachers;
using MlNetDistill.Tests.Packages;
using MlNetDistill.Tests.Support;
using MlNetDistill.Training;

namespace MlNetDistill.Tests.Conventions;

/// <summary>
/// The README's code is the code of these tests: each block must stand here word for word, and each is run. Whole programs are left to the tests of the
/// packages.
/// </summary>
public sealed partial class ReadmeTests
{
    [Test]
    public void Every_code_block_of_the_README_is_compiled_and_run_here_or_is_a_program()
    {
        var source = Squeezed(File.ReadAllText(Path.Combine(Repository.Root, "tests", "MlNetDistill.Tests", "Conventions", "ReadmeTests.cs")));
        var readme = Path.Combine(Repository.Root, "README.md");
        var programs = ReadmeProgram.Of(readme).Select(p => p.Code).ToArray();
        var blocks = CodeBlock().Matches(File.ReadAllText(readme)).Select(m => m.Groups[1].Value).Except(programs).ToArray();

        Assert.That(programs, Has.Length.EqualTo(2));
        Assert.That(blocks, Has.Length.EqualTo(4));
        foreach (var block in blocks)
            Assert.That(source, Does.Contain(Squeezed(block)));
    }

    [Test]
    public void The_evidence_of_the_README_accepts_a_student_that_does_its_teachers_job()
    {
        var folder = Directory.CreateTempSubdirectory("readme-").FullName;
        var before = Environment.CurrentDirectory;
        Environment.CurrentDirectory = folder;
        try
        {
            var rows = Letters(600, seed: 1);
            var test = Letters(300, seed: 2);
            var (forest, model) = Distilled(View(rows));

            SaveStudent(model);
            var exitCode = Judge(new MLContext(seed: 1), View(rows), View(test), forest, model, test);

            Assert.That(exitCode, Is.Zero);
            Assert.That(new FileInfo("student.onnx"), Has.Length.GreaterThan(0));
            Assert.That(File.ReadAllText(Path.Combine("report", "report.html")), Does.Contain("Letters").And.Contain("Accepted"));
        }
        finally
        {
            Environment.CurrentDirectory = before;
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public void The_route_of_the_README_is_followed_to_its_end()
    {
        var progress = new RowsProgress();
        var view = View(Letters(300, seed: 1));
        var mlContext = new MLContext(seed: 1);
        var prepared = mlContext.Transforms.Conversion.MapValueToKey("Class", "Label")
            .Append(mlContext.Transforms.NormalizeMeanVariance("Scaled", "Features", fixZero: false)).Fit(view).Transform(view);

        RouteTrainer(mlContext, progress).Fit(prepared);

        Assert.That(progress.Reports.Select(r => r.Stage).Distinct(), Is.EqualTo(new[] { "teacher", "DIST, epoch 20", "DIST, epoch 40 (final)" }));
    }

    [Test]
    public void The_teachers_of_the_README_are_looked_at_before_they_teach()
    {
        using var folder = new ToyFolder();
        var before = Environment.CurrentDirectory;
        Environment.CurrentDirectory = folder.Path;
        try
        {
            File.Copy(RealRows.PathOf("letter-teacher.onnx"), "teacher.onnx");
            var mlContext = new MLContext(seed: 1);
            var letters = mlContext.Letters();
            var train = mlContext.Transforms.Conversion.MapValueToKey("Class", "Label")
                .Append(mlContext.Transforms.NormalizeMeanVariance("Scaled", "Features", fixZero: false)).Fit(letters).Transform(letters);
            var forest = mlContext.Transforms.Conversion.MapValueToKey("TeacherClass", "Label")
                .Append(mlContext.MulticlassClassification.Trainers.SdcaMaximumEntropy("TeacherClass")).Fit(train);

            var report = PreflightOf(mlContext, train, forest);

            Assert.That(report.Teacher!.Accuracy, Is.GreaterThan(0.9));
        }
        finally
        {
            Environment.CurrentDirectory = before;
        }
    }

    private static PreflightReport PreflightOf(MLContext mlContext, IDataView train, ITransformer forest)
    {
        string[] letters = [.. Enumerable.Range('A', 26).Select(c => $"{(char)c}")];
        var trainer = mlContext.MulticlassClassification.Trainers.Distill(new DistillationOptions
        {
            Teacher = Teacher.Ensemble(
                Teacher.FromOnnx("teacher.onnx", new OnnxOutputs("logits"), new TeacherInput { ColumnName = "Features" }, classNames: letters),
                Teacher.FromTransformer(forest)),
            Student = NetworkSpec.Mlp(128),
            LabelColumnName = "Class",
            FeatureColumnName = "Scaled",
            TeacherCache = new TeacherCacheOptions { Folder = "answers" },
        });
        Console.WriteLine(trainer.Preflight(train));
        return trainer.Preflight(train);
    }

    private static DistillationTrainer RouteTrainer(MLContext mlContext, IProgress<TrainingProgress> progress)
    {
        var trainer = mlContext.MulticlassClassification.Trainers.Distill(new DistillationOptions
        {
            Teacher = Route.Train(NetworkSpec.Mlp(512, 512), every: 10, epochs: 40),
            Student = NetworkSpec.Mlp(128),
            Method = DistillationMethod.Rco(DistillationMethod.Dist(), AnchorSelection.EqualInterval(20)),
            LabelColumnName = "Class",
            FeatureColumnName = "Scaled",
            Epochs = 30,
            Progress = progress,
        });
        return trainer;
    }

    private static int Judge(MLContext mlContext, IDataView train, IDataView test, ITransformer forest, ITransformer model, Letter[] letters)
    {
        var report = DistillationReport.Create(mlContext, new ReportInput
        {
            Title = "Letters",
            Test = test,
            Training = train,
            Teacher = forest,
            Student = model,
            LabelColumnName = "Class",
            StudentCost = mlContext.Model.MeasureCost("student.zip", letters),
            Criteria = new AcceptanceCriteria { MinimumAccuracyRetention = 0.9, MinimumAgreement = 0.8, MaximumClassDrop = 0.2, MaximumZipBytes = 1_000_000 },
        });
        report.Write("report");
        Console.WriteLine(report.Acceptance);
        return report.Acceptance!.ExitCode;
    }

    private static (ITransformer Teacher, ITransformer Student) Distilled(IDataView train)
    {
        var mlContext = new MLContext(seed: 1);
        var forest = mlContext.Transforms.Conversion.MapValueToKey("Label")
            .Append(mlContext.MulticlassClassification.Trainers.OneVersusAll(mlContext.BinaryClassification.Trainers.FastTree()))
            .Fit(train);
        var model = mlContext.Transforms.Conversion.MapValueToKey("Class", "Label")
            .Append(mlContext.Transforms.NormalizeMeanVariance("Scaled", "Features", fixZero: false))
            .Append(mlContext.MulticlassClassification.Trainers.Distill(
                Teacher.FromTransformer(forest), NetworkSpec.Mlp(128), labelColumnName: "Class", featureColumnName: "Scaled"))
            .Fit(train);
        mlContext.Model.Save(model, train.Schema, "student.zip");
        return (forest, model);
    }

    private static void SaveStudent(ITransformer model)
    {
        var student = model.FindStudent();
        Console.WriteLine(student.Model);
        using (var file = File.Create("student.onnx"))
            student.SaveOnnx(file);
    }

    private static IDataView View(Letter[] rows) => new MLContext().Data.LoadFromEnumerable(rows);

    private static Letter[] Letters(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i => new Letter
        {
            Label = "ABC"[i % 3].ToString(),
            Features = [.. Enumerable.Range(0, 4).Select(f => (f == i % 3 ? 2f : 0f) + (float)random.NextDouble())],
        })];
    }

    private static string Squeezed(string code) => Space().Replace(code, " ").Trim();

    [GeneratedRegex(@"```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();

    private sealed class Letter
    {
        public string Label { get; set; } = "";

        [VectorType(4)]
        public float[] Features { get; set; } = [];
    }
}

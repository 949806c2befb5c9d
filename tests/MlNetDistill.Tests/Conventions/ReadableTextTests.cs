using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.ML;
using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Evaluation;
using MlNetDistill.Fitting;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Reporting;
using MlNetDistill.Teachers;
using MlNetDistill.Tests.Evaluation.Report;
using MlNetDistill.Tests.Support;
using MlNetDistill.Training;

namespace MlNetDistill.Tests.Conventions;

/// <summary>Whatever of this library a user writes to a console can be read there.</summary>
public sealed class ReadableTextTests
{
    private static readonly Type[] OurTypes = [.. new[] { typeof(DistillationCatalog), typeof(Network), typeof(BatchScorer) }.SelectMany(type => type.Assembly.GetTypes())];

    private static readonly DistillationReport Report = ReportSamples.Letters();

    /// <summary>What a user makes, gets or reads, one of each kind; the test below says what is missing.</summary>
    private static IEnumerable<TestCaseData> Printed() => new object[]
    {
        Report, Report.Metrics, Report.AloneMetrics!, Report.Metrics.Teacher!, Report.Metrics.Matrix, Report.Metrics.Agreement, Report.Metrics.PerClass[0],
        Report.Metrics.TopKOverlap[0], Report.Metrics.Matrix.First(), Report.Metrics.Student!.Reliability[^1], Report.Acceptance!, Report.Acceptance!.Checks[0],
        Report.Student, Report.Student.Cost!, Report.Student.Cost!.SingleRow, Report.Student.History[^1], Report.Student.Settings[0], Report.Data[0],
        ReportSamples.Minimal(), ReportSamples.Minimal().Metrics, ReportSamples.All["hostile-names"](), ReportSamples.All["hostile-names"]().Metrics,
        ReportSamples.All["thousand-classes"]().Metrics.Matrix, ReportRows.Drawn(["a", "b", "c"], 900, 1).Matrix,
        Measured().DifferenceFrom(Measured()), Payoff(), Evidence(), ToyModels.Points.LastTransformer, ToyModels.Points.LastTransformer.Model,
        ToyPipelines.Options() with { Teacher = Teacher.FromColumn("TeacherScore"), Augmentations = [Augmentation.Mixup()] },
        new DistillationEvaluationOptions { TeacherClassNames = [.. Enumerable.Range(0, 1000).Select(i => $"class {i}")] }, new CostOptions(),
        new AcceptanceCriteria { MinimumAccuracyRetention = 0.98, MaximumLatency = TimeSpan.FromMicroseconds(250) }, new TeacherCacheOptions(), new TeacherInput(),
        new ClassMap { Names = new Dictionary<string, string> { ["tabby cat"] = "cat" }, DropOthers = true }, new EarlyStopping(), new OnnxOutputs("logits"),
        new TorchScriptOutputs(), new ModuleTaps(StageFeatures: [TorchSharp.torch.nn.ReLU()]), TrainingDevice.Cpu, TrainingDevice.Cuda(1, fallbackToCpu: true),
        InitialWeights.From(ToyModels.Points.LastTransformer.Model, 0.5), Teacher.FromColumn("TeacherScore"), Route.Train(NetworkSpec.Mlp(8)),
        DistillationMethod.Kd(), DistillationMethod.Cckd(), DistillationMethod.Sskd(), DistillationMethod.LabelsOnly(),
        DistillationMethod.Rco(DistillationMethod.Dist(), AnchorSelection.EqualInterval(20)),
        DistillationMethod.FromLoss("mine", (0.1 * new CrossEntropyLoss()) + (0.9 * new KdLoss(4).WithWarmup(3))), new RkdLoss(), new HintLoss((1, 1)),
        Optimizer.Sgd(), LearningRateSchedule.OneCycle(), LearningRateSchedule.Step([30, 60]), BatchSampling.ClassUniform(), Augmentation.CutMix(),
        AnchorSelection.Greedy(1.2), new StagePair(0, 1), NetworkSpec.Mlp(64, 32), NetworkSpec.ResNet(8, InputShape.Image(1, 28, 28), 4, 8, 16),
        new NetworkInput(InputShape.Image(1, 8, 8), true, new InputStatistics([0.5f], [0.25f])), new OutputShapes(10, 64, [[8, 4, 4]]),
        new BatchScoringOptions(), new BatchScoringOptions { BatchSize = 64, Threads = 2 },
        new PreflightStage("KD", 30, 125, TimeSpan.FromMilliseconds(1.25)),
        new PreflightTeacher("forest", ModelOutputs.Logits, 256, true, 0.97, 0.9, 1, TimeSpan.FromMilliseconds(0.1)),
    }.Select(printed => new TestCaseData(printed).SetArgDisplayNames(printed.GetType().Name));

    [TestCaseSource(nameof(Printed))]
    public void It_fits_on_a_screen_and_names_no_types_of_collections(object printed)
    {
        var text = printed.ToString()!;
        TestContext.Out.WriteLine(text);
        var lines = text.Split(Environment.NewLine);

        Assert.Multiple(() =>
        {
            Assert.That(lines, Has.Length.LessThanOrEqualTo(60));
            // A criterion and an epoch are a line each, for a log.
            var columns = printed is TrainingProgress ? 160 : 100;
            Assert.That(lines.Where(line => !(line.Contains("is required") || line.Contains("is allowed"))).Select(line => line.Length), Has.All.LessThanOrEqualTo(columns));
            Assert.That(text, Does.Not.Contain("System.").And.Not.Contain("`").And.Not.Contain(" { ").And.Not.Contain("MlNetDistill."));
            Assert.That(text.Trim(), Is.Not.Empty);
        });
    }

    [TestCaseSource(nameof(Printed))]
    public void It_is_the_same_text_where_decimals_have_a_comma(object printed)
    {
        var expected = printed.ToString();
        var before = CultureInfo.CurrentCulture;
        var comma = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        comma.NumberFormat = new NumberFormatInfo { NumberDecimalSeparator = ",", NumberGroupSeparator = ".", NegativeSign = "minus " };
        CultureInfo.CurrentCulture = comma;
        try
        {
            Assert.That(printed.ToString(), Is.EqualTo(expected));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Test]
    public void No_public_record_prints_what_the_compiler_wrote()
    {
        var records = OurTypes.Where(type => type.IsVisible || IsKindOfVisible(type)).Where(IsRecord).ToList();

        Assert.That(records, Has.Count.GreaterThan(60));
        Assert.That(records.Where(type => TextOf(type).GetCustomAttribute<CompilerGeneratedAttribute>() is not null), Is.Empty);
    }

    /// <summary>A record of a kind that users hold, such as a method, without being visible itself.</summary>
    private static bool IsKindOfVisible(Type type) => type.BaseType is { IsVisible: true } kind && OurTypes.Contains(kind);

    private static bool IsRecord(Type type) =>
        type.GetMethod("<Clone>$") is not null
        || (type.IsValueType && type.GetMethod("PrintMembers", BindingFlags.NonPublic | BindingFlags.Instance) is not null);

    private static MethodInfo TextOf(Type type) => type.GetMethod(nameof(ToString), Type.EmptyTypes)!;

    private static ReportInput Evidence()
    {
        var rows = new MLContext(seed: 1).View(ToyData.Points());
        return new() { Title = "Points", Test = rows, Student = ToyModels.Points, Teacher = ToyModels.Points, StudentCost = Report.Student.Cost };
    }

    private static DistillationPayoff Payoff() => new()
    {
        Rows = 1234,
        LabelledRows = 1200,
        DistilledAccuracy = 0.91,
        AloneAccuracy = 0.9,
        Accuracy = new(0.01, -0.001, 0.021),
        Agreement = new(-0.02, -0.03, -0.01),
        TeacherAccuracyOverAlone = new(0.03, 0.02, 0.04),
        ChoseEpochs = true,
    };

    private static DistillationMetrics Measured()
    {
        var evaluator = new DistillationEvaluator(["ant", "bee"]);
        for (var row = 0; row < 400; row++)
            evaluator.Add(row < 40 ? [0.4f, 0.6f] : [0.6f, 0.4f], row < 52 ? [0.4f, 0.6f] : [0.6f, 0.4f], row < 390 ? 0 : null, (ulong)row);
        return evaluator.Metrics();
    }
}

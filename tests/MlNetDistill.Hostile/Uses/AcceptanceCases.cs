using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Evaluation;
using MlNetDistill.Reporting;

namespace MlNetDistill.Hostile.Uses;

/// <summary>Comparisons, criteria, reports and costs of what cannot be compared, judged or measured.</summary>
internal static class AcceptanceCases
{
    public static IEnumerable<Case> All => [.. Criteria(), .. Reports(), .. Comparisons(), .. Costs()];

    private static AcceptanceCriteria Generous => new() { MinimumAccuracy = 0.1 };

    private static ReportInput Evidence(IDataView test, IDataView? training = null, ITransformer? student = null)
    {
        var teacher = Sample.Regression().Fit(Log.Context().Data.LoadFromEnumerable(Rows.Points(120)));
        return new ReportInput
        {
            Title = "A test",
            Test = test,
            Training = training,
            Student = student ?? Sample.Fit(Sample.Learning()),
            Teacher = teacher,
            LabelColumnName = "Class",
            Criteria = Generous,
            Evaluation = new DistillationEvaluationOptions { BootstrapReplicates = 50, ConfidenceLevel = 0.9 },
        };
    }

    private static DistillationReport Report(ReportInput input) => DistillationReport.Create(Log.Context(), input);

    private static IEnumerable<Case> Criteria()
    {
        foreach (var number in new[] { -0.1, 1.1, double.NaN, double.PositiveInfinity })
        {
            var shown = FormattableString.Invariant($"{number}");
            foreach (var (name, criteria) in new (string, AcceptanceCriteria)[]
            {
                ("MinimumAccuracy", new() { MinimumAccuracy = number }),
                ("MinimumAgreement", new() { MinimumAgreement = number }),
                ("MaximumClassDrop", new() { MaximumClassDrop = number }),
                ("MaximumCalibrationError", new() { MaximumCalibrationError = number }),
            })
            {
                yield return Case.Refused($"a {name} of {shown}", () => criteria.Judge(Metrics()), name, shown) with { IsQuick = true };
            }
        }

        yield return Case.Refused("a divergence of NaN", () => new AcceptanceCriteria { MaximumDivergence = double.NaN }.Judge(Metrics()), "MaximumDivergence", "NaN");
        yield return Case.Refused("a divergence of -1", () => new AcceptanceCriteria { MaximumDivergence = -1 }.Judge(Metrics()), "MaximumDivergence", "-1");
        yield return Case.Refused("a latency of -1 s", () => new AcceptanceCriteria { MaximumLatency = TimeSpan.FromSeconds(-1) }.Judge(Metrics()), "MaximumLatency");
        yield return Case.Refused("a zip of -1 bytes", () => new AcceptanceCriteria { MaximumZipBytes = -1 }.Judge(Metrics()), "MaximumZipBytes", "-1");
        yield return Case.Refused("classes of -1 rows", () => new AcceptanceCriteria { MinimumClassRows = -1, MaximumClassDrop = 0.1 }.Judge(Metrics()), "MinimumClassRows", "-1");
        yield return Case.Refused("a judgement of no metrics", () => Generous.Judge(null!), "metrics");
        yield return Case.Refused("no criterion at all", () => new AcceptanceCriteria().Judge(Metrics()), "criteri");
        yield return Case.Refused("a latency that was not measured", () => new AcceptanceCriteria { MaximumLatency = TimeSpan.FromSeconds(1) }.Judge(Metrics()), "MaximumLatency", "cost");
        yield return Case.WorksOrRefused("an accuracy where no row has a label", () => Check.That(!Generous.Judge(Metrics(labelled: false)).Passed, "accepted without a label"), "label");
        yield return Case.WorksOrRefused("intervals that were not computed", () => Check.That(
            !new AcceptanceCriteria { MinimumAccuracy = 0.1, JudgeByInterval = true }.Judge(Metrics(replicates: 0)).Passed, "accepted without an interval"), "interval");
    }

    private static DistillationMetrics Metrics(bool labelled = true, int replicates = 20)
    {
        var evaluator = new DistillationEvaluator(Rows.Classes, new() { BootstrapReplicates = replicates, ConfidenceLevel = 0.8 });
        for (var i = 0; i < 30; i++)
            evaluator.Add([0.8f, 0.1f, 0.1f], [0.7f, 0.2f, 0.1f], labelled ? i % 2 : null, (UInt128)i);
        return evaluator.Metrics();
    }

    /// <summary>The report must say which share was trained on, on its page too, and the gate must refuse the student for it alone.</summary>
    private static Case Overlapping(string name, Func<ReportInput> evidence, double share) => Case.Works(name, () =>
    {
        var report = Report(evidence());
        Check.Equal(report.TrainingOverlap?.Share ?? -1, share, "share of known rows");
        Check.That(!report.Acceptance!.Passed && report.Acceptance.ExitCode != 0, "the gate accepts it");
        Check.Equal(report.Acceptance.Checks.Single(check => !check.Passed).Criterion, nameof(AcceptanceCriteria.MaximumTrainingOverlap), "what fails");
        Check.That(!Generous.Judge(report.Metrics, overlap: report.TrainingOverlap).Passed, "Judge accepts it");
        Check.That(report.Verdict.Any(line => line.Contains("test on rows that no model was trained on", StringComparison.OrdinalIgnoreCase)), "the verdict does not say it");
        Check.That(report.ToHtml().Contains("have the same values as a training row", StringComparison.Ordinal), "the page does not say it");
        Check.That(report.ToJson().Contains("\"trainingOverlap\": {", StringComparison.Ordinal), "the JSON does not say it");
    });

    private static IEnumerable<Case> Reports()
    {
        yield return Overlapping("a test on the training rows", () => Evidence(Sample.Points(), Sample.Points()), 1);
        yield return Overlapping("a test on the training rows in another order", () => Evidence(Log.Context().Keyed(Rows.Points(120).Reverse()), Sample.Points()), 1);
        yield return Overlapping("a test on half of the training rows", () => Evidence(Sample.Points(60), Sample.Points()), 1);
        yield return Overlapping("a test on the training rows that the student alone knows of", () => Evidence(Sample.Points()), 1);
        yield return Overlapping("a test of which half was trained on", () => Evidence(Log.Context().Keyed(Rows.Points(60).Concat(Rows.Points(60, seed: 55))), Sample.Points()), 0.5);
        yield return Case.Works("a test on rows of its own", () => Check.That(Report(Evidence(Fresh(), Sample.Points())).Acceptance!.Passed, "not accepted"));
        yield return Case.Works("a report that says its rows were not compared with the training rows", () =>
        {
            var report = Report(Evidence(Fresh()));
            Check.That(report.ToHtml().Length > 1000, "no page");
        });
        yield return Case.Refused("no input", () => Report(null!), "input");
        yield return Case.Refused("no context", () => DistillationReport.Create(null!, Evidence(Fresh())), "mlContext");
        yield return Case.Refused("no test rows", () => Report(Evidence(null!)), "Test");
        yield return Case.Refused("no student", () => Report(Evidence(Fresh()) with { Student = null! }), "Student");
        yield return Case.Refused("no title", () => Report(Evidence(Fresh()) with { Title = null! }), "Title");
        yield return Case.Refused("no evaluation options", () => Report(Evidence(Fresh()) with { Evaluation = null! }), "Evaluation");
        yield return Case.Refused("neither teacher nor column", () => Report(Evidence(Fresh()) with { Teacher = null }), "TeacherScoreColumnName");
        yield return Case.Refused("a label that there is not", () => Report(Evidence(Fresh()) with { LabelColumnName = "Klass" }), "Klass");
        yield return Case.Refused("scores that there are not", () => Report(Evidence(Fresh()) with { ScoreColumnName = "Skore" }), "Skore");
        yield return Case.Refused("test rows without one row", () => Report(Evidence(Log.Context().Data.FilterRowsByColumn(Fresh(), "Weight", lowerBound: 5))), "row");
        yield return Case.Refused("a student of other classes", () => Report(Evidence(Fresh(), student: Sample.Fit(Sample.Short(), Log.Context().Keyed(
            Rows.Points(60).Select(row => new Point { Label = row.Label + "s", Features = row.Features }))))), "ashs");
        yield return Case.Refused("a report into a file", () => Report(Evidence(Fresh())).Write(Sample.Model("mlp.pt")), "mlp.pt");
        yield return Case.Refused("a report into nothing", () => Report(Evidence(Fresh())).Write(""), "folder");
        yield return Case.Works("a report with markup in its names", () =>
        {
            var page = Report(Evidence(Fresh()) with { Title = "<script>alert(1)</script>", TeacherName = "\"><img src=x>", Description = "a & b" }).ToHtml();
            Check.That(!page.Contains("<script>alert", StringComparison.Ordinal) && !page.Contains("<img src=x", StringComparison.Ordinal), "markup came through");
        });
    }

    private static IDataView Fresh() => Log.Context().Keyed(Rows.Points(90, seed: 55));

    private static Case Added(string name, Action<DistillationEvaluator> use, params string[] words) =>
        Case.Refused(name, () => use(new DistillationEvaluator(Rows.Classes, new() { BootstrapReplicates = 0 })), words) with { IsQuick = true };

    private static Case Evaluated(string name, DistillationEvaluationOptions options, params string[] words) =>
        Case.Refused(name, () => new DistillationEvaluator(Rows.Classes, options), words) with { IsQuick = true };

    private static IEnumerable<Case> Comparisons()
    {
        yield return Added("too few scores", e => e.Add([0.5f, 0.5f], [0.8f, 0.1f, 0.1f], 0, 1), "3", "2");
        yield return Added("too many scores", e => e.Add([0.8f, 0.1f, 0.1f], [0.2f, 0.2f, 0.3f, 0.3f], 0, 1), "3", "4");
        yield return Added("no scores", e => e.Add([], [0.8f, 0.1f, 0.1f], 0, 1), "3", "0");
        yield return Added("a score of NaN", e => e.Add([0.8f, float.NaN, 0.1f], [0.8f, 0.1f, 0.1f], 0, 1), "NaN");
        yield return Added("a probability of -0.5", e => e.Add([0.8f, 0.1f, 0.1f], [1.4f, -0.5f, 0.1f], 0, 1), "-0.5");
        yield return Added("probabilities that sum to 2", e => e.Add([0.8f, 0.1f, 0.1f], [1, 1, 0], 0, 1), "2");
        yield return Added("a label of 3 of 3 classes", e => e.Add([0.8f, 0.1f, 0.1f], [0.8f, 0.1f, 0.1f], 3, 1), "label", "3");
        yield return Added("a label of -1", e => e.Add([0.8f, 0.1f, 0.1f], [0.8f, 0.1f, 0.1f], -1, 1), "label", "-1");
        yield return Added("metrics of no rows", e => e.Metrics(), "row");
        yield return Added("merging nothing", e => e.Merge(null!), "other");
        yield return Added("merging other classes", e => e.Merge(new DistillationEvaluator(["a", "b"], new() { BootstrapReplicates = 0 })), "classes", "ash");
        yield return Added("merging other options", e => e.Merge(new DistillationEvaluator(Rows.Classes, new() { BootstrapReplicates = 0, ReliabilityBins = 3 })), "options", "ReliabilityBins");
        yield return Case.WorksOrRefused("an evaluator merged with itself", () =>
        {
            var evaluator = new DistillationEvaluator(Rows.Classes, new() { BootstrapReplicates = 0 });
            evaluator.Add([0.8f, 0.1f, 0.1f], [0.8f, 0.1f, 0.1f], 0, 1);
            evaluator.Merge(evaluator);
            Check.Equal(evaluator.Metrics().Rows, 2, "rows");
        }, "itself");
        yield return Case.Refused("an evaluator of no classes", () => new DistillationEvaluator([]), "classes", "0");
        yield return Case.Refused("an evaluator of one class", () => new DistillationEvaluator(["a"]), "classes", "1");
        yield return Case.Refused("an evaluator of a class twice", () => new DistillationEvaluator(["a", "a"]), "a");
        yield return Case.Refused("an evaluator of null", () => new DistillationEvaluator(null!), "classes");
        yield return Evaluated("0 bins", new() { ReliabilityBins = 0 }, "ReliabilityBins", "0");
        yield return Evaluated("2 billion bins", new() { ReliabilityBins = int.MaxValue }, "ReliabilityBins");
        yield return Evaluated("2 billion replicates", new() { BootstrapReplicates = int.MaxValue }, "BootstrapReplicates");
        yield return Evaluated("-1 replicates", new() { BootstrapReplicates = -1 }, "BootstrapReplicates", "-1");
        yield return Evaluated("a level of 0", new() { ConfidenceLevel = 0 }, "ConfidenceLevel", "0");
        yield return Evaluated("a level of 1", new() { ConfidenceLevel = 1 }, "ConfidenceLevel", "1");
        yield return Evaluated("a level of NaN", new() { ConfidenceLevel = double.NaN }, "ConfidenceLevel", "NaN");
        yield return Evaluated("the top 0", new() { TopK = [0] }, "TopK", "0");
        yield return Evaluated("no list of tops", new() { TopK = null! }, "TopK", "null");
        yield return Evaluated("-1 regressions", new() { WorstRegressions = -1 }, "WorstRegressions", "-1");
        yield return Evaluated("a kind of scores that there is not", new() { StudentScoreKind = (ScoreKind)9 }, "ScoreKind", "9");
        yield return Evaluated("a teacher's class twice", new() { TeacherClassNames = ["ash", "ash", "cedar"] }, "ash");
        yield return Evaluated("a teacher of other classes", new() { TeacherClassNames = ["oak", "elm", "fir"] }, "oak", "ash");
        yield return Case.Refused("a comparison of nothing", () => Log.Context().MulticlassClassification.EvaluateDistillation(null!, "A", "B"), "data");
        yield return Case.Refused("a comparison with no teacher", () => Log.Context().MulticlassClassification.EvaluateDistillation(Fresh(), null!, Sample.Fit(Sample.Short())), "teacher");
        yield return Case.Refused("a comparison of a column with itself", () => Log.Context().MulticlassClassification.EvaluateDistillation(
            Sample.Fit(Sample.Short()).Transform(Fresh()), "Score", "Score", "Class"), "Score");
        yield return Case.Refused("a comparison of features", () => Log.Context().MulticlassClassification.EvaluateDistillation(
            Sample.Fit(Sample.Short()).Transform(Fresh()), "Features", "Score", "Class"), "Features");
    }

    private static Case Measured(string name, Func<CostOptions> options, params string[] words) => Case.Refused(
        name, () => Log.Context().Model.MeasureCost(Sample.Fit(Sample.Short()), Rows.Points(3).Select(Keyed), options: options()), words);

    private static IEnumerable<Case> Costs()
    {
        yield return Measured("0 predictions", () => new() { Predictions = 0 }, "Predictions", "0");
        yield return Measured("-1 passes", () => new() { Passes = -1 }, "Passes", "-1");
        yield return Measured("-1 to warm up", () => new() { WarmupPredictions = -1 }, "WarmupPredictions", "-1");
        yield return Measured("no time", () => new() { MaximumTime = TimeSpan.Zero }, "MaximumTime");
        yield return Case.Refused("the cost over no rows", () => Log.Context().Model.MeasureCost(Sample.Fit(Sample.Short()), Array.Empty<KeyedPoint>()), "rows");
        yield return Case.Refused("the cost over null rows", () => Log.Context().Model.MeasureCost(Sample.Fit(Sample.Short()), new KeyedPoint[] { null! }), "null");
        yield return Case.Refused("the cost of nothing", () => Log.Context().Model.MeasureCost((ITransformer)null!, Rows.Points(3)), "model");
        yield return Case.Refused("the cost of no file", () => Log.Context().Model.MeasureCost("nowhere.zip", Rows.Points(3)), "nowhere.zip");
        yield return Case.Refused("the cost of a folder", () => Log.Context().Model.MeasureCost(Path.GetTempPath(), Rows.Points(3)), Path.GetTempPath());
        yield return Case.Refused("the cost of a file that is no model", () => Log.Context().Model.MeasureCost(Sample.Model("mlp.pt"), Rows.Points(3)), "mlp.pt");
        yield return Case.Refused("the cost of scores that there are not", () => Log.Context().Model.MeasureCost(Sample.Fit(Sample.Short()), Rows.Points(3).Select(Keyed), "Skore"), "Skore");
        yield return Case.Refused("the cost over rows without features", () => Log.Context().Model.MeasureCost(Sample.Fit(Sample.Short()), new[] { new Bare() }), "Features");
    }

    private static KeyedPoint Keyed(Point point) => new() { Class = 1, Features = point.Features };

    private sealed class KeyedPoint
    {
        [KeyType(3)]
        public uint Class { get; set; }

        [VectorType(4)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Bare
    {
        public float Weight { get; set; }
    }
}

using MlNetDistill.Evaluation;
using MlNetDistill.Reporting;
using MlNetDistill.Training;

namespace MlNetDistill.Tests.Evaluation.Report;

/// <summary>Reports of every shape there is: few classes and many, everything measured and nothing, names that mean harm.</summary>
internal static class ReportSamples
{
    private const string Optimizer = "SGD (LearningRate 0.05, Momentum 0.9, WeightDecay 0.0005)";
    private const string Hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    public static IReadOnlyDictionary<string, Func<DistillationReport>> All { get; } = new Dictionary<string, Func<DistillationReport>>
    {
        ["three-classes"] = () => Complete(["setosa", "versicolor", "virginica"], 600, 1),
        ["letters"] = Letters,
        ["thousand-classes"] = () => Complete([.. Enumerable.Range(0, 1000).Select(i => $"class {i}")], 20_000, 3) with { Title = "A thousand classes" },
        ["thirty-classes"] = () => Complete([.. Enumerable.Range(0, 30).Select(i => $"a long name of class {i}")], 300_000, 9),
        ["minimal"] = Minimal,
        ["hostile-names"] = Hostile,
        ["stages"] = Stages,
        ["no-alone"] = () => Letters() with { Alone = null, AloneMetrics = null },
        ["no-cost"] = WithoutCosts,
        ["no-labels"] = WithoutLabels,
        ["problems"] = Problems,
        ["precisions"] = Precisions,
    };

    public static DistillationReport Minimal() => new()
    {
        Title = "Nothing but the rows",
        Created = Noon,
        Teacher = new() { Name = "Teacher" },
        Student = new() { Name = "Student" },
        Metrics = ReportRows.Drawn(["no", "yes"], 50, 4, labels: false, intervals: false),
    };

    public static DistillationReport Letters()
    {
        var report = Complete([.. Enumerable.Range('A', 26).Select(c => $"{(char)c}")], 5_000, 2);
        return report with { Title = "Letters: a forest taught a perceptron", Acceptance = Criteria.Judge(report.Metrics, report.Student.Cost), Knowledge = Knowledge };
    }

    public static KnowledgeDiagnosis Knowledge { get; } = new()
    {
        Rows = 19_650,
        UnlabelledRows = 120,
        CertainRows = 230,
        Temperature = 4,
        Alpha = 0.9,
        Mean = 0.5143,
        Quantiles = [new(0.05, -0.41), new(0.25, 0.12), new(0.5, 0.5625), new(0.75, 0.9), new(0.95, 1.62)],
        NegativeShare = 0.1875,
        ConfidenceCorrelation = 0.6321,
        LabelProbabilityCorrelation = null,
    };

    /// <summary>The student in 16 and 8 bits, too.</summary>
    public static DistillationReport Precisions()
    {
        var report = Letters();
        return report with
        {
            Precisions =
            [
                Stored(StudentPrecision.Float16, 34_816, 31.4, 1, new(1, 0.999, 1)), Stored(StudentPrecision.Int8, 19_456, 28.6, 0.985, new(0.9876, 0.984, 0.991)),
            ],
        };

        ReportedPrecision Stored(StudentPrecision precision, long bytes, double time, double copies, Estimate agreement) => new()
        {
            Precision = precision,
            Model = new() { Name = $"Student, {precision}", Kind = report.Student.Kind, Parameters = report.Student.Parameters, Cost = Cost(time, 1.4 * time, 3.3, bytes, 4_128_768), Hash = Hash },
            Metrics = ReportRows.Drawn(report.Metrics.Classes, 5_000, 2, 0.94 * copies),
            Agreement = agreement,
        };
    }

    /// <summary>Everything but time and size.</summary>
    public static DistillationReport WithoutCosts()
    {
        var report = Letters();
        return report with
        {
            Teacher = report.Teacher with { Cost = null },
            Student = report.Student with { Cost = null },
            Alone = report.Alone! with { Cost = null },
            Acceptance = null,
        };
    }

    /// <summary>Criteria that are not met, rows known from training, and warnings.</summary>
    public static DistillationReport Problems()
    {
        var report = Letters();
        return report with
        {
            Acceptance = new AcceptanceCriteria { MinimumAgreement = 0.99, MaximumClassDrop = 0.01, MinimumAccuracy = 0.5 }.Judge(report.Metrics),
            TrainingOverlap = new TrainingOverlap(0.25, 0.02),
            Student = report.Student with { Warnings = ["The training loss rose in the last 5 epochs.", "3 classes have no training row."] },
            Alone = report.Alone! with { Warnings = ["The training stopped at its first epoch."], History = History("labels only", 1, 2, 2.1, "cross-entropy") },
        };
    }

    /// <summary>Rows without labels, of models whose time and size were measured.</summary>
    private static DistillationReport WithoutLabels()
    {
        string[] classes = ["no", "yes", "perhaps"];
        return Complete(classes, 800, 8) with
        {
            Title = "No row has a label",
            Metrics = ReportRows.Drawn(classes, 800, 8, labels: false),
            AloneMetrics = ReportRows.Drawn(classes, 800, 8, copies: 0.9, labels: false),
            TrainingMetrics = null,
        };
    }

    public static DistillationReport Complete(IReadOnlyList<string> classes, int rows, int seed) => new()
    {
        Title = "Irises: a forest taught a perceptron",
        Description = "The weekly run on the rows of the last month.",
        Created = Noon,
        Teacher = new()
        {
            Name = "Teacher",
            Kind = "FastTree, one versus all",
            Cost = Cost(940.4, 1310.5, 210.2, 12_911_304, 61_210_624),
            Hash = Hash,
            Settings = [new("NumberOfTrees", "100"), new("Seed", "1")],
        },
        Student = new()
        {
            Name = "Student, distilled",
            Kind = "MLP 16-128-26",
            Parameters = 5_530,
            Cost = Cost(31.2, 44.9, 3.4, 64_512, 4_210_688),
            Hash = Hash,
            History = History("KD", 30, 1, 1.6, "kd", "cross-entropy"),
            Notes = ["KD: 30 epochs."],
            Settings = [new("Method", "KD (Temperature 2, Alpha 0.9)"), new("Epochs", "30"), new("Optimizer", Optimizer), new("Seed", "1")],
        },
        Alone = new()
        {
            Name = "Student, alone",
            Kind = "MLP 16-128-26",
            Parameters = 5_530,
            Cost = Cost(31.9, 45.1, 3.5, 64_498, 4_206_592),
            Hash = Hash,
            History = History("labels only", 30, 2, 2.1, "cross-entropy"),
            Settings = [new("Method", "labels only"), new("Epochs", "30"), new("Seed", "1")],
        },
        Metrics = ReportRows.Drawn(classes, rows, seed),
        AloneMetrics = ReportRows.Drawn(classes, rows, seed, copies: 0.9),
        TrainingMetrics = ReportRows.Drawn(classes, rows, seed + 1, copies: 0.985),
        Data = [new("Training rows", 4 * rows, Hash), new("Test rows", rows, Hash), new("Rows of another shop", 12, null)],
        Versions = [new("MlNetDistill", "0.1.0"), new("Microsoft.ML", "5.0.0"), new("TorchSharp", "0.107.0"), new("Runtime", ".NET 10.0.1"),
            new("System", "Debian GNU/Linux 12 (bookworm)")],
    };

    private static AcceptanceCriteria Criteria => new()
    {
        MinimumAccuracyRetention = 0.96,
        MinimumAgreement = 0.95,
        MaximumClassDrop = 0.1,
        MaximumCalibrationError = 0.05,
        MaximumLatency = TimeSpan.FromMicroseconds(100),
        MaximumZipBytes = 1_000_000,
    };

    private static DateTimeOffset Noon => new(2025, 3, 14, 12, 0, 0, TimeSpan.Zero);

    private static DistillationReport Stages()
    {
        var report = Complete([.. Enumerable.Range(0, 12).Select(i => $"digit {i}")], 2_000, 5);
        TrainingProgress[] route = [.. History("teacher", 40, 9, 2.3, "cross-entropy")];
        List<TrainingProgress> student = [];
        foreach (var (at, stage) in new[] { "SSKD stage 1", "SSKD stage 2", "SSKD head", "DIST, epoch 10", "DIST, epoch 20", "DIST, epoch 40 (final)" }.Index())
        {
            string[] losses = at < 2 ? [$"stage features {at + 1}"] : at == 2 ? ["cross-entropy"] : ["inter-class", "intra-class"];
            var before = student.Count > 0 ? student[^1].Elapsed : TimeSpan.Zero;
            student.AddRange(History(stage, at < 3 ? 6 : 12, at, 1.5, losses).Select(epoch => epoch with { Elapsed = before + epoch.Elapsed }));
        }

        return report with
        {
            Title = "A route of checkpoints, after stage by stage",
            Teacher = report.Teacher with { Kind = "MLP 16-512-512-12", History = route },
            Student = report.Student with
            {
                History = student,
                Notes = ["RCO×DIST: training on anchor 1 of 3, epoch 10, for 12 epochs.", "RCO×DIST: training on anchor 2 of 3, epoch 20, for 12 epochs."],
            },
            Acceptance = new AcceptanceCriteria { MinimumAgreement = 0.5 }.Judge(report.Metrics),
        };
    }

    private static DistillationReport Hostile()
    {
        string[] names =
        [
            "<script>alert(1)</script>", "&amp; \"quoted\" 'too'", "שלום עולם", "مرحبا 12 – 34", "👩‍👩‍👧‍👦 family", new('W', 200),
            "line\nbreak\ttab", "nul\0 and half \ud83d", "日本語の長い名前がここに続きます", "{{x}} ${y}",
        ];
        var report = Complete(names, 900, 6);
        return report with
        {
            Title = "</title><script>alert('title')</script> " + new string('x', 200),
            Description = "<img src=x onerror=alert(1)> --> ]]> & done",
            Teacher = report.Teacher with { Name = "<b>teacher</b> " + new string('M', 120), Kind = "\"><svg onload=alert(1)>" },
            Student = report.Student with
            {
                Name = "</svg><style>*{display:none}</style>",
                History = History("<i>stage</i> " + new string('W', 90), 3, 1, 1, "</text><script>", "مجموع"),
                Notes = ["</ul><script>alert('note')</script>", "שלום 3 (2)"],
                Settings = [new("<td>", new string('v', 300)), new("Seed & more", "</table>")],
            },
            Data = [new("<script>data</script>", 900, new string('f', 64))],
            Acceptance = new AcceptanceCriteria { MinimumAgreement = 0.99, MaximumClassDrop = 0.01 }.Judge(report.Metrics),
        };
    }

    private static ModelCost Cost(double engine, double tail, double bulk, long zip, long memory) =>
        new() { SingleRow = new(engine, tail, 2_000), Batch = new(bulk, 1.3 * bulk, 20), ZipBytes = zip, PeakMemoryBytes = memory };

    private static IEnumerable<TrainingProgress> Epochs(string stage, int epochs, int seed, double first, string[] losses)
    {
        var random = new Random(seed);
        for (var epoch = 1; epoch <= epochs; epoch++)
        {
            var falls = Math.Exp(-3.0 * epoch / epochs);
            var means = losses.Select((name, at) => (Name: name, Value: first * (0.15 + falls) / (at + 1) * (1 + (0.03 * random.NextDouble()))))
                .ToDictionary(l => l.Name, l => l.Value);
            means["total"] = means.Values.Sum();
            yield return new(
                stage, epoch, epochs, means, LearningRate: 0.05 * falls, Validation: new("accuracy", 0.93 - (0.4 * falls) + (0.01 * random.NextDouble()), 0.2 + falls),
                RowsPerSecond: 41_000, TimeLeft: TimeSpan.Zero, Elapsed: TimeSpan.FromSeconds((1.3 + seed) * epoch));
        }
    }

    private static IReadOnlyList<TrainingProgress> History(string stage, int epochs, int seed, double first, params string[] losses) =>
        [.. Epochs(stage, epochs, seed, first, losses)];
}

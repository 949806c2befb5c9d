using MlNetDistill.Evaluation;
using MlNetDistill.Tests.Evaluation.Report;
using static MlNetDistill.Tests.Evaluation.MetricsRows;

namespace MlNetDistill.Tests.Evaluation;

/// <summary>The parts of metrics: what they print, and what cannot be one.</summary>
public sealed class MetricsPartsTests
{
    private static readonly ClassFidelity Bee =
        new() { Class = "bee", Rows = 1200, TeacherCorrect = 900, StudentCorrect = 840, Lost = 100, Gained = 40, TeacherPredicts = 1000, BothPredict = 800 };

    private static readonly DistillationPayoff Payoff = new()
    {
        Rows = 500,
        LabelledRows = 500,
        DistilledAccuracy = 0.9,
        AloneAccuracy = 0.888,
        Accuracy = new(0.012),
        Agreement = null,
        TeacherAccuracyOverAlone = null,
        ChoseEpochs = false,
    };

    [Test]
    public void Each_part_prints_as_one_line() => Assert.Multiple(() =>
    {
        Assert.That($"{Bee}", Is.EqualTo("bee: 1,200 rows, accuracy of the teacher 75.00 %, of the student 70.00 %, agreement 80.00 %"));
        Assert.That($"{Bee with { Rows = 0 }}", Is.EqualTo("bee: 0 rows, accuracy of the teacher -, of the student -, agreement 80.00 %"));
        Assert.That($"{Bee with { TeacherPredicts = 0 }}", Does.EndWith("agreement -"));
        Assert.That($"{new ReliabilityBin(0.2, 0.4, 1200, 0.75, 0.3125)}", Is.EqualTo("0.20 to 0.40: 1,200 rows, accuracy 75.00 %, mean confidence 31.25 %"));
        Assert.That($"{new ReliabilityBin(0, 0.25, 0, null, null)}", Is.EqualTo("0.00 to 0.25: 0 rows"));
        Assert.That($"{new TopKOverlap(2, new(0.99, 0.98, 1))}", Is.EqualTo("top 2: 99.00 % (98.00 to 100.00)"));
        Assert.That($"{new RescalingQuantile(0.05, -0.25)}", Is.EqualTo("5 % of the rows are below -0.2500"));
    });

    [Test]
    public void A_class_has_shares_where_it_has_rows()
    {
        Assert.That((Bee.TeacherAccuracy, Bee.StudentAccuracy, Bee.Agreement), Is.EqualTo((0.75, 0.7, 0.8)));
        Assert.That(Bee.AccuracyChange, Is.EqualTo(-0.05).Within(1e-12));
        var none = Bee with { Rows = 0, TeacherPredicts = 0 };
        Assert.That(new[] { none.TeacherAccuracy, none.StudentAccuracy, none.AccuracyChange, none.Agreement }, Has.All.Null);
    }

    [Test]
    public void A_payoff_without_an_interval_is_unknown_and_says_the_difference()
    {
        Assert.That((Payoff.ByAccuracy, Payoff.ByAgreement), Is.EqualTo(((PayoffAnswer?)null, (PayoffAnswer?)null)));
        Assert.That(Payoff.ToString().ReplaceLineEndings(" "), Is.EqualTo(
            "Did distilling pay, compared with the same student trained on labels alone? By accuracy, unknown without an interval: +1.20 points; " +
            "by agreement with the teacher, unknown: the teacher cannot be asked for these rows. Measured on 500 held-out rows."));
        Assert.That(Payoff.ToString().Split(Environment.NewLine).Select(line => line.Length), Has.All.LessThanOrEqualTo(100));
        Assert.That((PayoffText.Interval(new(-0.012)), PayoffText.Interval(new(-0.012, -0.02, 0.004))), Is.EqualTo(("−1.20 points", "−1.20 points (−2.00 to +0.40)")));
    }

    [TestCase(-1, 0, "teacher")]
    [TestCase(3, 0, "teacher")]
    [TestCase(0, -1, "student")]
    [TestCase(0, 3, "student")]
    public void A_cell_of_the_matrix_must_be_of_its_classes(int teacher, int student, string parameter)
    {
        var matrix = Measure([[1, 0, 0]], [[0, 0, 1]]).Matrix;
        Assert.That((matrix.Classes, matrix[0, 2], matrix[2, 0]), Is.EqualTo((3, 1, 0)));
        Assert.That(() => matrix[teacher, student], Throws.TypeOf<ArgumentOutOfRangeException>().With.Property("ParamName").EqualTo(parameter));
    }

    [Test]
    public void Options_have_limits()
    {
        Assert.Multiple(() =>
        {
            Refuses(new() { ReliabilityBins = 100_001 }, "ReliabilityBins must be at most 100000; was 100001. 10 to 20 are usual.");
            Refuses(new() { BootstrapReplicates = 1_000_001 }, "BootstrapReplicates must be at most 1000000; was 1000001. 200 to 10000 are usual.");
            Refuses(new() { BootstrapReplicates = -1 }, "BootstrapReplicates must be at least 2, or 0 for no intervals; was -1.");
            Refuses(new() { ConfidenceLevel = 0 }, "ConfidenceLevel must be between 0 and 1; was 0.");
            Refuses(new() { BootstrapReplicates = 199, ConfidenceLevel = 0.99 }, "BootstrapReplicates must be at least 200 for intervals at ConfidenceLevel 0.99; was 199.");
            Refuses(new() { TopK = null! }, "TopK must hold numbers of at least 1; was null.");
            Refuses(new() { TopK = [2, 0, -3] }, "TopK must hold numbers of at least 1; was 2, 0, -3.");
            foreach (var fits in new DistillationEvaluationOptions[]
            {
                new() { BootstrapReplicates = 200, ConfidenceLevel = 0.99 }, new() { BootstrapReplicates = 3, ConfidenceLevel = 0.01 }, new() { BootstrapReplicates = 0, ConfidenceLevel = 0.9999 },
                new() { ReliabilityBins = 1, WorstRegressions = 0, TopK = [1], BootstrapReplicates = 0 },
            })
            {
                Assert.That(() => new DistillationEvaluator(["a", "b"], fits), Throws.Nothing);
            }
        });

        static void Refuses(DistillationEvaluationOptions options, string message) =>
            Assert.That(() => new DistillationEvaluator(["a", "b"], options), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.StartsWith(message));
    }

    [Test]
    public void What_cannot_be_a_diagnosis_is_refused()
    {
        var (report, knowledge) = (ReportSamples.Minimal(), ReportSamples.Knowledge);
        RescalingQuantile[] quantiles = [.. knowledge.Quantiles];
        Assert.That(() => report with { Knowledge = knowledge }, Throws.Nothing);
        Assert.That(() => report with { Knowledge = knowledge with { ConfidenceCorrelation = -1, LabelProbabilityCorrelation = 1 } }, Throws.Nothing);
        Assert.Multiple(() =>
        {
            Refuses(knowledge with { UnlabelledRows = -1 }, "Knowledge.UnlabelledRows must be at least 0; was -1.");
            Refuses(knowledge with { CertainRows = -1 }, "Knowledge.CertainRows must be at least 0; was -1.");
            Refuses(knowledge with { Temperature = 0 }, "Knowledge.Temperature must be above 0; was 0.");
            Refuses(knowledge with { NegativeShare = 1.1 }, "Knowledge.NegativeShare must be in [0, 1]; was 1.1.");
            Refuses(knowledge with { ConfidenceCorrelation = -1.5 }, "Knowledge.ConfidenceCorrelation must be in [-1, 1], or null; was -1.5.");
            Refuses(knowledge with { LabelProbabilityCorrelation = 1.5 }, "Knowledge.LabelProbabilityCorrelation must be in [-1, 1], or null; was 1.5.");
            RescalingQuantile[][] wrong =
            [
                [.. quantiles.Take(4)], [.. quantiles, new(0.99, 2)], [null!, .. quantiles.Skip(1)], [new(0, -1), .. quantiles.Skip(1)], [.. quantiles.Take(4), new(1, 2)],
                [.. quantiles.Take(4), new(0.95, double.PositiveInfinity)], [.. quantiles.Take(4), new(0.75, 2)], [.. quantiles.Take(4), new(0.95, 0.8)],
            ];
            foreach (var five in wrong)
                Refuses(knowledge with { Quantiles = five }, "Knowledge.Quantiles must be five");
            Assert.That(() => report with { Knowledge = knowledge with { Quantiles = [.. quantiles.Take(4), new(0.95, 0.9)] } }, Throws.Nothing, "equal values");
        });

        void Refuses(KnowledgeDiagnosis refused, string message) =>
            Assert.That(() => report with { Knowledge = refused }, Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains(message), message);
    }
}

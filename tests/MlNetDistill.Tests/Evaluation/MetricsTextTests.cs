using MlNetDistill.Evaluation;
using MlNetDistill.Tests.Evaluation.Report;

namespace MlNetDistill.Tests.Evaluation;

/// <summary>What <c>Console.WriteLine</c> shows of metrics, word for word.</summary>
public sealed class MetricsTextTests
{
    private static readonly ModelQuality Teacher = Quality(new(0.9, 0.85, 0.95), logLoss: 0.25, calibrationError: 0.0125);

    private static readonly DistillationMetrics Metrics = new()
    {
        Rows = 1_200,
        LabelledRows = 1_000,
        Classes = ["ant", "bee", "a wasp whose name is much too long for a table"],
        Teacher = Teacher,
        Student = Quality(new(0.875, 0.8, 0.9375), logLoss: 0.5, calibrationError: 0.03),
        Agreement = new(0.96, 0.95, 0.97),
        AgreementWhereTeacherIsCorrect = new(0.98, 0.97, 1),
        AgreementWhereTeacherIsWrong = null,
        Divergence = new(0.0625, 0.05, 0.075),
        ReverseDivergence = new(0.07, 0.06, 0.08),
        JensenShannonDivergence = new(0.015625, 0.01, 0.02),
        SquaredDifference = new(0.002, 0.001, 0.003),
        RankCorrelation = new(0.5, 0.25, 0.75),
        TopKOverlap = [new(2, new(0.99, 0.98, 1))],
        Matrix = ReportRows.Matrix([(0, 0, 0), (0, 0, 1), (1, 1, 1)], 3),
        PerClass = [Lost],
        WorstRegressions = [Lost],
    };

    private static ClassFidelity Lost =>
        new() { Class = "a wasp whose name is much too long for a table", Rows = 80, TeacherCorrect = 60, StudentCorrect = 56, Lost = 6, Gained = 2, TeacherPredicts = 75, BothPredict = 60 };

    [Test]
    public void Metrics_are_a_table_of_both_models_with_intervals_and_the_classes_that_lose() => Same(Metrics, """
        1,200 rows, 1,000 of them with a label, 3 classes; in brackets confidence intervals
                                                          Teacher                    Student
        Accuracy                         90.00 % (85.00 to 95.00)   87.50 % (80.00 to 93.75)
        Log-loss, nats                  0.2500 (0.1250 to 0.3750)  0.5000 (0.2500 to 0.7500)
        Brier score                     0.2000 (0.1000 to 0.3000)  0.2000 (0.1000 to 0.3000)
        Calibration error                   1.25 % (0.50 to 2.00)      3.00 % (0.50 to 2.00)
        Agreement                                                   96.00 % (95.00 to 97.00)
          where the teacher is correct                             98.00 % (97.00 to 100.00)
        KL(teacher ‖ student), nats                                0.0625 (0.0500 to 0.0750)
        KL(student ‖ teacher), nats                                0.0700 (0.0600 to 0.0800)
        Jensen-Shannon, nats                                       0.0156 (0.0100 to 0.0200)
        Squared difference                                         0.0020 (0.0010 to 0.0030)
        Rank correlation                                           0.5000 (0.2500 to 0.7500)
        Overlap of the top 2                                       99.00 % (98.00 to 100.00)
        Classes that lose most          Rows  Teacher  Student        Change
          a wasp whose name is much...    80  75.00 %  70.00 %  -5.00 points
        """);

    [TestCase(-0.00001, "0.0000")]
    [TestCase(-0.0001, "-0.0001")]
    [TestCase(0, "0.0000")]
    public void What_rounds_to_nothing_has_no_sign(double value, string text)
    {
        Assert.That($"{new Estimate(value)}", Is.EqualTo(text));
        Assert.That($"{new Estimate(value, value, value)}", Is.EqualTo($"{text} ({text} to {text})"));
    }

    [Test]
    public void A_matrix_too_wide_for_a_table_says_nothing_of_differences_where_there_are_none()
    {
        const int Classes = 60;
        Assert.That(
            $"{ReportRows.Matrix([.. Enumerable.Range(0, Classes).Select(c => (c, c, c))], Classes)}",
            Is.EqualTo("60 classes; both models predict the same class for 60 of 60 rows"));
    }

    [Test]
    public void Of_rows_without_labels_only_fidelity_is_shown_and_without_intervals_only_figures() => Same(
        Metrics with
        {
            Rows = 50,
            LabelledRows = 0,
            Teacher = null,
            Student = null,
            Agreement = new(0.5),
            AgreementWhereTeacherIsCorrect = null,
            Divergence = new(0.25),
            ReverseDivergence = new(0.125),
            JensenShannonDivergence = new(0.1),
            SquaredDifference = new(0.01),
            RankCorrelation = null,
            TopKOverlap = [],
            WorstRegressions = [],
        },
        """
        50 rows, no labels, 3 classes
                                     Teacher  Student
        Agreement                             50.00 %
        KL(teacher ‖ student), nats            0.2500
        KL(student ‖ teacher), nats            0.1250
        Jensen-Shannon, nats                   0.1000
        Squared difference                     0.0100
        """);

    [Test]
    public void Measured_metrics_say_how_sure_their_intervals_are() =>
        Assert.That(Measured(40).ToString(), Does.StartWith("400 rows, 2 classes; in brackets confidence intervals at 95 %"));

    [Test]
    public void One_models_quality_is_a_table() => Same(Teacher, """
        Accuracy            90.00 % (85.00 to 95.00)
        Log-loss, nats     0.2500 (0.1250 to 0.3750)
        Brier score        0.2000 (0.1000 to 0.3000)
        Calibration error      1.25 % (0.50 to 2.00)
        Mean confidence                      91.25 %
        """);

    [Test]
    public void A_difference_has_signs()
    {
        // One student errs on 40 of 400 rows and the other on 60: 5 points, whatever the rows.
        var lines = $"{Measured(40).DifferenceFrom(Measured(60))}".Split(Environment.NewLine);

        Assert.That(lines[1], Does.Match(@"^Accuracy, points +\+5\.00 \(\+\d\.\d\d to \+\d\.\d\d\)$"));
        Assert.That(lines.Single(line => line.StartsWith("Brier", StringComparison.Ordinal)), Does.Match(@"^Brier score +-0\.\d{4} \(-"));
    }

    [Test]
    public void A_matrix_that_fits_is_shown_whole_and_of_a_larger_one_where_the_models_differ_most()
    {
        Same(Metrics.Matrix, """
            Teacher down, student across  0  1  2
            0                             1  1  0
            1                             0  1  0
            2                             0  0  0
            """);
        Same(ReportRows.Matrix([(0, 7, 8), (0, 7, 8), (0, 39, 0), (0, 5, 5)], 40), """
            40 classes; both models predict the same class for 1 of 4 rows; largest disagreements:
              teacher 7, student 8: 2 rows
              teacher 39, student 0: 1 row
            """);
    }

    [Test]
    public void A_cost_is_a_table_with_units() => Same(
        new ModelCost { SingleRow = new(31.25, 1044.9, 2_000), Batch = new(3.4, 4.4, 20), ZipBytes = 64_512, PeakMemoryBytes = 4_210_688 }, """
        Time of a row              median  95 % within     measured
          PredictionEngine        31.3 µs     1,045 µs  2,000 times
          Transform of many rows   3.4 µs       4.4 µs     20 times
        Saved model       63.0 KiB
        Growth of memory   4.0 MiB
        """);

    private static void Same(object printed, string expected) => Assert.That(printed.ToString(), Is.EqualTo(expected.ReplaceLineEndings()));

    private static ModelQuality Quality(Estimate accuracy, double logLoss, double calibrationError) => new()
    {
        Accuracy = accuracy,
        LogLoss = new(logLoss, logLoss / 2, 1.5 * logLoss),
        Brier = new(0.2, 0.1, 0.3),
        CalibrationError = new(calibrationError, 0.005, 0.02),
        MeanConfidence = 0.9125,
        Reliability = [],
    };

    private static DistillationMetrics Measured(int wrong)
    {
        var evaluator = new DistillationEvaluator(["ant", "bee"]);
        for (var row = 0; row < 400; row++)
            evaluator.Add([0.6f, 0.4f], row < wrong ? [0.4f, 0.6f] : [0.6f, 0.4f], 0, (ulong)row);
        return evaluator.Metrics();
    }
}

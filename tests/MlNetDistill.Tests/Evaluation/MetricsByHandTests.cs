using MlNetDistill.Evaluation;
using static MlNetDistill.Tests.Evaluation.MetricsRows;

namespace MlNetDistill.Tests.Evaluation;

/// <summary>Small cases whose figures can be written down.</summary>
public sealed class MetricsByHandTests
{
    private const double Tight = 1e-7;

    // Labels a a b b c, and one row without a label. The teacher is right on rows 0, 2, 4; the student on rows 0, 1, 4.
    private static readonly DistillationMetrics Six = Measure(
        [Sure(0), Sure(1), Sure(1), Sure(0), Sure(2), Sure(2)],
        [Sure(0), Sure(0), Sure(0), Sure(0), Sure(2), Sure(1)],
        [0, 0, 1, 1, 2, null]);

    [Test]
    public void Agreement_is_counted_over_all_rows() => Assert.That(Six.Agreement.Value, Is.EqualTo(3.0 / 6).Within(Tight));

    [Test]
    public void Agreement_is_counted_apart_where_the_teacher_is_right_and_where_it_is_wrong()
    {
        Assert.That(Six.AgreementWhereTeacherIsCorrect!.Value.Value, Is.EqualTo(2.0 / 3).Within(Tight));
        Assert.That(Six.AgreementWhereTeacherIsWrong!.Value.Value, Is.EqualTo(1.0 / 2).Within(Tight));
    }

    [Test]
    public void Accuracy_is_counted_over_rows_with_a_label()
    {
        Assert.That((Six.Rows, Six.LabelledRows), Is.EqualTo((6, 5)));
        Assert.That(Six.Teacher!.Accuracy.Value, Is.EqualTo(3.0 / 5).Within(Tight));
        Assert.That(Six.Student!.Accuracy.Value, Is.EqualTo(3.0 / 5).Within(Tight));
    }

    [Test]
    public void Classes_are_counted_one_by_one()
    {
        Assert.That(Six.PerClass[0], Is.EqualTo(new ClassFidelity
        {
            Class = "class 0",
            Rows = 2,
            TeacherCorrect = 1,
            StudentCorrect = 2,
            Lost = 0,
            Gained = 1,
            TeacherPredicts = 2,
            BothPredict = 2,
        }));
        Assert.That(Six.PerClass[1], Is.EqualTo(new ClassFidelity
        {
            Class = "class 1",
            Rows = 2,
            TeacherCorrect = 1,
            StudentCorrect = 0,
            Lost = 1,
            Gained = 0,
            TeacherPredicts = 2,
            BothPredict = 0,
        }));
        Assert.That(Six.PerClass[2], Is.EqualTo(new ClassFidelity
        {
            Class = "class 2",
            Rows = 1,
            TeacherCorrect = 1,
            StudentCorrect = 1,
            Lost = 0,
            Gained = 0,
            TeacherPredicts = 2,
            BothPredict = 1,
        }));
    }

    [Test]
    public void The_matrix_has_the_teachers_classes_down_and_the_students_across() => Assert.That(
        Six.Matrix, Is.EqualTo(new AgreementCell[] { new(0, 0, 2), new(1, 0, 2), new(2, 1, 1), new(2, 2, 1) }));

    [Test]
    public void Only_classes_in_which_the_student_is_worse_regress() => Assert.That(Six.WorstRegressions.Select(c => c.Class), Is.EqualTo(new[] { "class 1" }));

    [Test]
    public void The_worst_regression_comes_first_and_as_many_are_listed_as_asked_for()
    {
        // Class 0 loses one of two rows, class 1 one of one, class 2 one of three.
        int[] labels = [0, 0, 1, 2, 2, 2];
        var metrics = Measure(
            [.. labels.Select(Sure)],
            [Sure(1), Sure(0), Sure(2), Sure(2), Sure(2), Sure(1)],
            [.. labels.Select(l => (int?)l)],
            NoIntervals with { WorstRegressions = 2 });
        Assert.That(metrics.WorstRegressions.Select(c => c.Class), Is.EqualTo(new[] { "class 1", "class 0" }));
    }

    [Test]
    public void Without_labels_there_is_fidelity_alone()
    {
        var metrics = Measure([Sure(0)], [Sure(1)]);
        object?[] ofLabels = [metrics.Teacher, metrics.Student, metrics.AgreementWhereTeacherIsCorrect, metrics.AgreementWhereTeacherIsWrong];
        Assert.That(ofLabels, Has.All.Null);
        Assert.That(metrics.PerClass.Select(c => c.AccuracyChange), Has.All.Null);
    }

    [Test]
    public void The_Brier_score_sums_the_squares_over_the_classes() =>
        Assert.That(Measure([[0.7f, 0.2f, 0.1f]], [[0.7f, 0.2f, 0.1f]], [1]).Student!.Brier.Value, Is.EqualTo(0.49 + 0.64 + 0.01).Within(Tight));

    [Test]
    public void Equal_classes_share_their_mean_rank()
    {
        // Ranks 1.5 1.5 3.5 3.5 and 1 3 3 3; less their mean -1 -1 1 1 and -1.5 ½ ½ ½: 2 / √(4 · 3).
        var metrics = Measure([[0.4f, 0.4f, 0.1f, 0.1f]], [[0.7f, 0.1f, 0.1f, 0.1f]]);
        Assert.That(metrics.RankCorrelation!.Value.Value, Is.EqualTo(2 / Math.Sqrt(12)).Within(1e-12));
    }

    [Test]
    public void Ranks_turned_round_correlate_at_minus_1() =>
        Assert.That(Measure([[0.5f, 0.3f, 0.2f]], [[0.2f, 0.3f, 0.5f]]).RankCorrelation!.Value.Value, Is.EqualTo(-1).Within(1e-12));

    [Test]
    public void A_row_of_equal_scores_has_no_rank_correlation()
    {
        float[] flat = [0.25f, 0.25f, 0.25f, 0.25f];
        float[] falling = [0.4f, 0.3f, 0.2f, 0.1f];
        Assert.That(Measure([flat, falling], [falling, falling]).RankCorrelation!.Value.Value, Is.EqualTo(1).Within(1e-12));
        Assert.That(Measure([flat, falling], [falling, flat]).RankCorrelation, Is.Null);
    }

    [Test]
    public void Of_equal_classes_the_first_are_among_the_most_probable()
    {
        // The teacher's first 2 are 0 1, the student's 3 2; the first 3 are 0 1 2 and 3 2 1.
        var overlaps = Measure([[0.25f, 0.25f, 0.25f, 0.25f]], [[0.1f, 0.2f, 0.3f, 0.4f]]).TopKOverlap;
        Assert.That(overlaps.Select(o => o.K), Is.EqualTo(new[] { 2, 3 }));
        Assert.That(overlaps.Select(o => o.Overlap.Value), Is.EqualTo(new[] { 0, 2.0 / 3 }).Within(1e-12));
    }

    [Test]
    public void Of_a_hundred_equal_classes_the_first_come_first_too()
    {
        float[] flat = [.. Enumerable.Repeat(0.01f, 100)];
        var falling = Softmax([.. Enumerable.Range(0, 100).Select(c => -c / 50.0)]);
        var metrics = Measure([flat], [falling], options: NoIntervals with { TopK = [1, 5, 50] });
        Assert.That(metrics.TopKOverlap.Select(o => o.Overlap.Value), Has.Exactly(3).EqualTo(1));
    }

    [Test]
    public void Of_equal_classes_the_first_is_named() => Assert.That(Measure([[0.1f, 0.45f, 0.45f]], [[0.45f, 0.1f, 0.45f]]).Matrix[1, 0], Is.EqualTo(1));

    [Test]
    public void The_overlap_of_the_first_class_is_the_agreement()
    {
        var metrics = Measure(Some(), NoIntervals with { TopK = [1, 4, 9] });
        Assert.That(metrics.TopKOverlap.Single(), Is.EqualTo(new TopKOverlap(1, metrics.Agreement)));
    }

    [Test]
    public void A_k_that_is_asked_for_twice_is_measured_once() =>
        Assert.That(Measure(Some(), NoIntervals with { TopK = [3, 2, 3] }).TopKOverlap.Select(o => o.K), Is.EqualTo(new[] { 3, 2 }));

    [Test]
    public void A_probability_that_rounding_left_above_1_is_1()
    {
        float[] above = [1.00005f, 0];
        var student = Measure([above], [above], [0]).Student!;
        Assert.That((student.MeanConfidence, student.Brier.Value, student.CalibrationError.Value), Is.EqualTo((1, 0, 0)));
    }

    [Test]
    public void A_bin_holds_its_upper_end_and_not_its_lower()
    {
        float[][] scores = [[0.5f, 0.5f], [0.75f, 0.25f], [1, 0]];
        var bins = Measure(scores, scores, [0, 0, 0], NoIntervals with { ReliabilityBins = 4 }).Student!.Reliability;
        Assert.That(bins.Select(bin => bin.Rows), Is.EqualTo(new[] { 0, 1, 1, 1 }));
        Assert.That(bins[0], Is.EqualTo(new ReliabilityBin(0, 0.25, 0, null, null)));
    }

    [Test]
    public void Every_end_of_every_bin_is_in_the_bin_below_it_and_the_next_number_is_not()
    {
        for (var n = 1; n <= 100; n++)
        {
            var bins = new ConfidenceBins(n);
            for (var i = 1; i <= n; i++)
            {
                Assert.That(bins.FindBin((double)i / n), Is.EqualTo(i - 1), $"{i}/{n}");
                Assert.That(bins.FindBin(Math.BitIncrement((double)i / n)), Is.EqualTo(Math.Min(i, n - 1)), $"above {i}/{n}");
            }
        }
    }

    [Test]
    public void The_calibration_error_is_that_of_the_bins()
    {
        // Of 4 rows at 0.9 three are right, of 2 at 0.6 none: (4 · |0.75 - 0.9| + 2 · 0.6) / 6.
        float[] high = [0.9f, 0.1f];
        float[] low = [0.6f, 0.4f];
        var student = Measure([high, high, high, high, low, low], [high, high, high, high, low, low], [0, 0, 0, 1, 1, 1]).Student!;
        Assert.That(student.CalibrationError.Value, Is.EqualTo((0.6 + 1.2) / 6).Within(Tight));
        Assert.That(student.MeanConfidence, Is.EqualTo(4.8 / 6).Within(Tight));
    }

    [Test]
    public void A_probability_of_0_counts_as_1e_minus_30() =>
        Assert.That(Measure([Sure(0)], [[0, 1, 0]], [0]).Student!.LogLoss.Value, Is.EqualTo(30 * Math.Log(10)).Within(1e-5));

    [Test]
    public void Logits_have_no_such_floor()
    {
        var metrics = Measure([[1000, 0]], [[0, 1000]], [0], NoIntervals with { TeacherScoreKind = ScoreKind.Logits, StudentScoreKind = ScoreKind.Logits });
        Assert.That((metrics.Student!.LogLoss.Value, metrics.Divergence.Value), Is.EqualTo((1000, 1000)));
        Assert.That(metrics.JensenShannonDivergence.Value, Is.EqualTo(Math.Log(2)).Within(1e-12));
    }

    [Test]
    public void Margins_count_as_the_share_of_their_sigmoid()
    {
        // σ(0) = ½ and σ(-ln 3) = ¼: two thirds and one third.
        var metrics = Measure([[0, -MathF.Log(3)]], [[2f / 3, 1f / 3]], [0], NoIntervals with { TeacherScoreKind = ScoreKind.Margins });
        Assert.That(metrics.Teacher!.MeanConfidence, Is.EqualTo(2.0 / 3).Within(Tight));
        Assert.That(metrics.Divergence.Value, Is.EqualTo(0).Within(1e-12));
    }

    [Test]
    public void Both_kinds_of_the_same_scores_measure_the_same()
    {
        var rows = Some();
        var logs = rows.Select(row => row with { Teacher = [.. row.Teacher.Select(p => MathF.Log(p))] }).ToArray();
        var (expected, actual) = (Numbers(Measure(rows)), Numbers(Measure(logs, new() { TeacherScoreKind = ScoreKind.Logits })));
        Assert.That(actual.Keys, Is.EquivalentTo(expected.Keys));
        Assert.That(actual.Keys.Max(path => Math.Abs(actual[path] - expected[path])), Is.LessThan(1e-6));
    }

    [Test]
    public void Classes_of_the_teacher_are_renamed_added_up_and_left_out_as_the_map_says()
    {
        // cat 0.1 + 0.3, dog 0.2 of 0.6 that are not left out.
        var evaluator = new DistillationEvaluator(["cat", "dog"], NoIntervals with
        {
            TeacherClassNames = ["tabby", "dog", "tiger", "fish"],
            ClassMap = new ClassMap { Names = new Dictionary<string, string> { ["tabby"] = "cat", ["tiger"] = "cat" }, DropOthers = true },
        });
        evaluator.Add([0.1f, 0.2f, 0.3f, 0.4f], [2f / 3, 1f / 3], 0, 1);
        var metrics = evaluator.Metrics();
        Assert.That(metrics.Teacher!.MeanConfidence, Is.EqualTo(2.0 / 3).Within(Tight));
        Assert.That(metrics.Teacher!.LogLoss.Value, Is.EqualTo(Math.Log(1.5)).Within(Tight));
        Assert.That(metrics.JensenShannonDivergence.Value, Is.EqualTo(0).Within(1e-12));
    }

    private static float[] Sure(int right) => [.. Enumerable.Range(0, 3).Select(c => c == right ? 0.8f : 0.1f)];
}

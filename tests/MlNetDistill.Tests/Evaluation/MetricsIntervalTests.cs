using MlNetDistill.Evaluation;
using static MlNetDistill.Tests.Evaluation.MetricsRows;

namespace MlNetDistill.Tests.Evaluation;

/// <summary>Confidence intervals mean what they say.</summary>
public sealed class MetricsIntervalTests
{
    private static readonly DistillationEvaluationOptions Many = new() { BootstrapReplicates = 2000 };

    [Test]
    public void Rows_weigh_by_the_Poisson_distribution_and_independently_of_each_other()
    {
        const int Rows = 20000;
        var weights = Enumerable.Range(0, Rows).Select(row => Weights((ulong)row)).ToArray();
        var all = weights.SelectMany(w => w).ToArray();
        Assert.Multiple(() =>
        {
            // Of 160,000 weights; tolerances are about 5 standard errors.
            Assert.That(all.Average(), Is.EqualTo(1).Within(0.0125));
            Assert.That(all.Average(w => (w - 1) * (w - 1)), Is.EqualTo(1).Within(0.022));
            foreach (var (k, share) in new[] { (0, 0.36788), (1, 0.36788), (2, 0.18394), (3, 0.06131), (4, 0.01533) })
                Assert.That(all.Count(w => w == k) / (double)all.Length, Is.EqualTo(share).Within(0.006), $"{k}");
            Assert.That(weights.Average(w => (w[0] - 1) * (w[1] - 1)), Is.EqualTo(0).Within(0.036), "one row, two replicates");
            var neighbours = weights.Zip(weights.Skip(1));
            Assert.That(neighbours.Average(w => (w.First[0] - 1) * (w.Second[0] - 1)), Is.EqualTo(0).Within(0.036), "two rows, one replicate");
        });
    }

    [Test]
    public void The_high_half_of_a_row_id_counts() => Assert.That(Weights(1), Is.Not.EqualTo(Weights(UInt128.One + (UInt128.One << 64))));

    [Test]
    public void Without_replicates_there_are_figures_and_no_intervals()
    {
        var (with, without) = (Measure(Some()), Measure(Some(), NoIntervals));
        Assert.That(without.Divergence, Is.EqualTo(new Estimate(with.Divergence)));
    }

    [Test]
    public void The_same_seed_gives_the_same_intervals_and_another_seed_others()
    {
        Assert.That(Measure(Some()).Divergence, Is.EqualTo(Measure(Some()).Divergence));
        Assert.That(Measure(Some(), new() { Seed = 2 }).Divergence, Is.Not.EqualTo(Measure(Some()).Divergence));
    }

    [Test]
    public void Sixteen_times_the_rows_make_intervals_a_quarter_as_wide()
    {
        var (few, many) = (Measure(Some(500), Many), Measure(Some(8000), Many));
        Func<DistillationMetrics, Estimate>[] figures = [m => m.Agreement, m => m.Divergence, m => m.Student!.Accuracy, m => m.RankCorrelation!.Value];
        foreach (var figure in figures)
            Assert.That(Width(figure(few)) / Width(figure(many)), Is.EqualTo(4).Within(0.8));
    }

    [Test]
    public void A_higher_level_makes_wider_intervals()
    {
        double WidthAt(double level) => Width(Measure(Some(), new() { ConfidenceLevel = level }).Agreement);
        Assert.That(WidthAt(0.99), Is.GreaterThan(1.2 * WidthAt(0.9)));
    }

    [Test]
    public void Intervals_are_those_of_a_bootstrap_that_draws_rows_with_replacement()
    {
        var rows = Some(600);
        var metrics = Measure(rows, Many);
        var random = new Random(9);
        DistillationMetrics Drawn() => Measure([.. Enumerable.Range(0, rows.Length).Select(_ => rows[random.Next(rows.Length)])], NoIntervals);
        var replicates = Enumerable.Range(0, 1000).Select(_ => Drawn()).ToArray();
        Assert.Multiple(() =>
        {
            foreach (var (name, figure) in new (string, Func<DistillationMetrics, Estimate>)[]
            {
                ("agreement", m => m.Agreement),
                ("agreement where the teacher is wrong", m => m.AgreementWhereTeacherIsWrong!.Value),
                ("divergence", m => m.Divergence),
                ("rank correlation", m => m.RankCorrelation!.Value),
                ("accuracy", m => m.Student!.Accuracy),
                ("log-loss", m => m.Teacher!.LogLoss),
                ("calibration error", m => m.Student!.CalibrationError),
                ("overlap", m => m.TopKOverlap[0].Overlap),
            })
            {
                var found = figure(metrics);
                var sorted = replicates.Select(m => figure(m).Value).Order().ToArray();
                Assert.That(found.Lower, Is.EqualTo(sorted[25]).Within(0.12 * Width(found)), name);
                Assert.That(found.Upper, Is.EqualTo(sorted[975]).Within(0.12 * Width(found)), name);
            }
        });
    }

    [Test]
    public void Nine_in_ten_intervals_at_level_0_9_hold_the_true_agreement()
    {
        const int Trials = 400;
        var random = new Random(4);
        float[] yes = [0.8f, 0.2f];
        float[] no = [0.2f, 0.8f];
        var held = Enumerable.Range(0, Trials).Count(trial =>
        {
            MetricsRow Row(int i) => new(yes, random.NextDouble() < 0.8 ? yes : no, null, (ulong)((trial * 1000) + i));
            var found = Measure([.. Enumerable.Range(0, 200).Select(Row)], new() { ConfidenceLevel = 0.9 }).Agreement;
            return found.Lower <= 0.8 && found.Upper >= 0.8;
        });
        // Two and a half standard errors of a share of 400, and what the percentiles of 200 replicates lose.
        Assert.That(held / (double)Trials, Is.InRange(0.85, 0.94));
    }

    [Test]
    public void Rows_that_are_all_alike_leave_as_much_open_as_their_number_does()
    {
        // 0.025^(1/n): with a larger share of other rows n rows without one would be rarer than 1 in 40.
        float[] yes = [0.8f, 0.2f];
        float[] no = [0.2f, 0.8f];
        DistillationMetrics MeasureRows(int rows, float[] student) => Measure([.. Enumerable.Range(0, rows).Select(i => new MetricsRow(yes, student, 0, (ulong)i))]);
        Assert.Multiple(() =>
        {
            foreach (var rows in new[] { 3, 1000 })
            {
                var least = Math.Pow(0.025, 1.0 / rows);
                var (same, other) = (MeasureRows(rows, yes), MeasureRows(rows, no));
                foreach (var one in new[] { same.Agreement, same.AgreementWhereTeacherIsCorrect!.Value, same.Student!.Accuracy, same.Teacher!.Accuracy })
                    AreAbout(one, 1, least, 1);
                foreach (var none in new[] { other.Agreement, other.Student!.Accuracy })
                    AreAbout(none, 0, 0, 1 - least);
                var gate = new AcceptanceCriteria { MinimumAgreement = 0.95, MinimumAccuracyRetention = 0.95, JudgeByInterval = true };
                Assert.That(gate.Judge(same).Checks.Select(check => check.Passed), Has.All.EqualTo(rows == 1000));
            }
        });

        static void AreAbout(Estimate estimate, double value, double lower, double upper) =>
            Assert.That(new[] { estimate.Value, estimate.Lower, estimate.Upper }, Is.EqualTo(new double?[] { value, lower, upper }).Within(1e-12));
    }

    [Test]
    public void Two_students_are_told_apart_by_their_difference_though_their_own_intervals_overlap()
    {
        var (near, far) = (Measure(Some(noise: 0.9)), Measure(Some(noise: 1)));
        Assert.That(near.Divergence.Upper, Is.GreaterThan(far.Divergence.Lower!.Value));
        var difference = near.DifferenceFrom(far);
        Assert.Multiple(() =>
        {
            Assert.That(difference.Divergence.Value, Is.EqualTo(near.Divergence - far.Divergence).Within(1e-12));
            Assert.That(difference.Divergence.Upper, Is.LessThan(0));
            Assert.That(difference.Accuracy!.Value.Value, Is.EqualTo(near.Student!.Accuracy - far.Student!.Accuracy).Within(1e-12));
            Assert.That(far.DifferenceFrom(near).Divergence.Lower, Is.EqualTo(-difference.Divergence.Upper!.Value).Within(1e-12));
        });
    }

    [Test]
    public void A_student_does_not_differ_from_itself()
    {
        var metrics = Measure(Some());
        Assert.That(Numbers(metrics.DifferenceFrom(Measure(Some()))).Values, Has.Count.EqualTo(30).And.All.EqualTo(0));
    }

    [Test]
    public void Without_labels_only_fidelity_differs()
    {
        var rows = Some().Select(row => row with { Label = null }).ToArray();
        var difference = Measure(rows).DifferenceFrom(Measure(rows));
        Assert.That(new object?[] { difference.Accuracy, difference.LogLoss, difference.Brier, difference.CalibrationError }, Has.All.Null);
    }

    [TestCase("rows", "here there are 400 rows, in the other 300.")]
    [TestCase("ids", "here there are 400 rows, in the other 400, with other ids.")]
    [TestCase("labels", "here 343 rows have a label, in the other 0.")]
    [TestCase("seed", "here the bootstrap has 200 replicates of seed 1, in the other 200 of seed 2.")]
    [TestCase("replicates", "here the bootstrap has 200 replicates of seed 1, in the other 100 of seed 1.")]
    [TestCase("bins", "here there are 15 bins and intervals at 0.95, in the other 10 and 0.95.")]
    [TestCase("level", "here there are 15 bins and intervals at 0.95, in the other 15 and 0.9.")]
    [TestCase("origin", "one of the two was not created by EvaluateDistillation or a DistillationEvaluator in this process.")]
    public void Figures_of_other_rows_or_other_weights_are_not_paired(string what, string why)
    {
        var metrics = Measure(Some());
        var other = what switch
        {
            "rows" => Measure(Some(300)),
            "ids" => Measure([.. Some().Select(row => row with { Id = row.Id + 1 })]),
            "labels" => Measure([.. Some().Select(row => row with { Label = null })]),
            "seed" => Measure(Some(), new() { Seed = 2 }),
            "replicates" => Measure(Some(), new() { BootstrapReplicates = 100 }),
            "bins" => Measure(Some(), new() { ReliabilityBins = 10 }),
            "level" => Measure(Some(), new() { ConfidenceLevel = 0.9 }),
            _ => metrics with { Replicates = null },
        };
        Assert.That(() => metrics.DifferenceFrom(other), Throws.ArgumentException.With.Message.StartsWith(
            $"Both students must be evaluated on the same rows to compute differences row by row: {why} Evaluate both on the same data view, with the same options."));
    }

    [Test]
    public void Students_of_different_teachers_are_not_paired()
    {
        var metrics = Measure(Some());
        var other = Measure([.. Some().Select(row => row with { Teacher = [.. row.Teacher.Reverse()] })]);

        Assert.That(() => metrics.DifferenceFrom(other), Throws.ArgumentException.With.Message.Contains("the teacher or the labels differ"));
    }

    [Test]
    public void More_confidence_than_the_replicates_can_tell_is_refused() => Assert.That(
        () => Measure(Some(), new() { ConfidenceLevel = 0.999 }),
        Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("BootstrapReplicates must be at least 2000 for intervals at ConfidenceLevel 0.999; was 200."));

    private static double[] Weights(UInt128 id)
    {
        var weights = new double[9];
        BootstrapWeights.Fill(new BootstrapWeights(1).Hash(id), weights);
        return weights[1..];
    }

    private static double Width(Estimate estimate) => estimate.Upper!.Value - estimate.Lower!.Value;
}

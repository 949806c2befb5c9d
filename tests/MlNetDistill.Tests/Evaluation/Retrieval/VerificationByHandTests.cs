using Microsoft.ML;
using MlNetDistill.Evaluation;
using static MlNetDistill.Tests.Evaluation.Retrieval.EmbeddingViews;

namespace MlNetDistill.Tests.Evaluation.Retrieval;

/// <summary>Verification of a few pairs, whose order by their angles can be written down.</summary>
public sealed class VerificationByHandTests
{
    private readonly MLContext _context = new(1);

    [Test]
    public void All_pairs_are_ordered_by_their_cosines()
    {
        // Angles between rows of the same identity: 20 40; of unlike ones: 30 50 70 90.
        EmbeddingRow[] rows = [.. new[] { 0.0, 20, 50, 90 }.Select((angle, i) => new EmbeddingRow { Embedding = At(angle), Label = i / 2 })];
        var metrics = _context.BinaryClassification.EvaluateVerification(_context.Vectors(rows), options: new() { FalseAcceptRates = [0.1, 0.25, 0.5] });
        Assert.Multiple(() =>
        {
            Assert.That((metrics.Positives, metrics.Negatives), Is.EqualTo((2, 4)));
            Assert.That(metrics.AreaUnderCurve, Is.EqualTo((4 + 3) / 8.0));
            Assert.That(metrics.Curve.Select(point => (point.FalseAcceptRate, point.TrueAcceptRate)), Is.EqualTo(new[] { (0.0, 0.5), (0.25, 1.0) }));
            Assert.That(metrics.Curve.Select(point => point.Threshold), Is.EqualTo(new[] { Cosine(20), Cosine(40) }).Within(1e-6));
            Assert.That($"{metrics.Curve[1]}", Is.EqualTo("FAR 0.2500, TAR 1.0000 from cosine 0.7660"));
            Assert.That((metrics.FoldAccuracies, metrics.Accuracy, metrics.AccuracyDeviation), Is.EqualTo(((object?)null, (double?)null, (double?)null)));
            Assert.That($"{metrics}", Is.EqualTo("""
                2 pairs of the same identity, 4 of unlike ones
                area under the curve 0.8750
                TAR 50.00 % at FAR 0.1, from cosine 0.9397
                TAR 100.00 % at FAR 0.25, from cosine 0.7660
                TAR 100.00 % at FAR 0.5, from cosine 0.6428
                """.ReplaceLineEndings()));
        });
    }

    [Test]
    public void Given_pairs_accept_as_many_unlike_ones_as_each_rate_allows()
    {
        var metrics = Verify([(10, false), (20, false), (30, true), (40, false), (50, true), (60, false), (70, true), (80, false)], 8, 0.1, 0.2, 0.4, 0.6, 0.8, 0.99);
        Assert.Multiple(() =>
        {
            Assert.That(metrics.AreaUnderCurve, Is.EqualTo((3 + 2 + 1) / 15.0).Within(1e-12));
            Assert.That(metrics.AcceptRates.Select(rate => rate.TrueAcceptRate), Is.EqualTo(new[] { 0, 0, 1 / 3.0, 2 / 3.0, 1, 1 }).Within(1e-12));
            Assert.That(metrics.AcceptRates[0].Threshold, Is.Null);
            Assert.That(metrics.AcceptRates.Skip(1).Select(rate => rate.Threshold!.Value), Is.EqualTo(new[] { 10.0, 30, 50, 70, 70 }.Select(Cosine)).Within(1e-6));
            Assert.That($"{metrics.AcceptRates[0]}", Is.EqualTo("TAR 0.00 % at FAR 0.1"));
            Assert.That(metrics.At(0.6), Is.SameAs(metrics.AcceptRates[3]));
            Assert.That(() => metrics.At(0.3), Throws.ArgumentException.With.Message.StartsWith("FalseAcceptRates of the options has no 0.3. Add it, or ask for one of them."));
        });
    }

    [Test]
    public void Equal_scores_of_unlike_pairs_are_accepted_together()
    {
        // One of the four may be accepted at 0.25, and two at 0.5.
        var metrics = Verify([(10, false), (10, false), (20, true), (30, false), (40, false)], 2, 0.25, 0.5);
        Assert.That(metrics.AcceptRates.Select(rate => rate.TrueAcceptRate), Is.EqualTo(new[] { 0.0, 1 }));
        Assert.That(metrics.AcceptRates[0].Threshold, Is.Null);
        Assert.That(metrics.AcceptRates[1].Threshold, Is.EqualTo(Cosine(20)).Within(1e-6));
    }

    [Test]
    public void A_tie_with_an_unlike_pair_counts_by_half()
    {
        // The pairs at 10 and 40 degrees: above one and equal to one, and above none and equal to one.
        var metrics = Verify([(10, true), (10, false), (40, false), (40, true)], 2, 0.5);
        Assert.That(metrics.AreaUnderCurve, Is.EqualTo((1.5 + 0.5) / 4));
        Assert.That(metrics.Curve.Select(point => (point.FalseAcceptRate, point.TrueAcceptRate)), Is.EqualTo(new[] { (0.5, 0.5), (1.0, 1.0) }));
    }

    [Test]
    public void Each_fold_has_the_threshold_that_is_best_on_the_others()
    {
        // Squared distances 2 - 2 cos: 10° 0.03, 20° 0.12, 30° 0.27, 40° 0.47, 50° 0.71, 60° 1.00, 70° 1.32, 80° 1.65. Folds of 3, 3 and 2 pairs.
        // The best on the others: 0.27 (first of those above 30°), 0.13 (above 20°), 0.27.
        var metrics = Verify([(10, true), (20, true), (60, false), (30, true), (50, false), (70, false), (80, true), (40, false)], 3, 0.5);
        Assert.Multiple(() =>
        {
            Assert.That(metrics.FoldAccuracies, Is.EqualTo(new[] { 1, 2 / 3.0, 1 / 2.0 }).Within(1e-12));
            Assert.That(metrics.Accuracy, Is.EqualTo(13 / 18.0).Within(1e-12));
            // Deviations of 5, -1 and -4 eighteenths.
            Assert.That(metrics.AccuracyDeviation, Is.EqualTo(Math.Sqrt((25 + 1 + 16) / 3.0) / 18).Within(1e-12));
            Assert.That($"{metrics}".Split(Environment.NewLine)[^1], Is.EqualTo("accuracy 72.22 % ± 20.79 % over 3 folds"));
        });
    }

    [Test]
    public void There_must_be_a_pair_for_each_fold()
    {
        (double, bool)[] pairs = [(10, true), (20, false), (30, true)];
        Assert.That(Verify(pairs, 3, 0.5).FoldAccuracies, Has.Count.EqualTo(3));
        Assert.That(() => Verify(pairs, 4, 0.5), Throws.InvalidOperationException.With.Message.StartsWith("There are 3 pairs for 4 folds."));
    }

    [Test]
    public void Pairs_of_one_kind_tell_nothing()
    {
        Assert.That(() => Verify([(10, true), (20, true)], 2, 0.5), Throws.InvalidOperationException.With.Message.StartsWith("There is no pair of unlike identities"));
        Assert.That(() => Verify([(10, false), (20, false)], 2, 0.5), Throws.InvalidOperationException.With.Message.StartsWith("There is no pair of the same identity"));
    }

    [Test]
    public void No_rate_may_be_asked_for()
    {
        Assert.That(Verify([(10, true), (20, false)], 2).AcceptRates, Is.Empty);
        Assert.That(() => Verify([(10, true), (20, false)], 2, 0.0), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("FalseAcceptRates must be in (0, 1); one was 0."));
        Assert.That(
            () => _context.BinaryClassification.EvaluateVerification(Pairs([(10, true)]), "First", "Second", "Same", new() { FalseAcceptRates = null!, Folds = 1 }),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("FalseAcceptRates must be set; an empty list is for none.").And.Message.Contains("Folds must be at least 2; was 1."));
    }

    [Test]
    public void A_text_has_at_most_twenty_rates()
    {
        var metrics = Verify([(10, true), (20, false)], 2, [.. Enumerable.Range(1, 30).Select(i => i / 100.0)]);
        Assert.That($"{metrics}".Split(Environment.NewLine).Count(line => line.StartsWith("TAR", StringComparison.Ordinal)), Is.EqualTo(20));
    }

    [Test]
    public void A_long_curve_keeps_at_most_a_thousand_points_and_its_last()
    {
        // 2,500 pairs of the same identity with other cosines: every third is kept.
        var metrics = Verify([.. Enumerable.Range(0, 2500).Select(i => (1 + (i / 100.0), true)), (80, false)], 2, 0.5);
        Assert.Multiple(() =>
        {
            Assert.That(metrics.Curve, Has.Count.InRange(800, 1000));
            Assert.That(metrics.Curve[0].TrueAcceptRate, Is.EqualTo(1 / 2500.0));
            Assert.That(metrics.Curve[1].TrueAcceptRate - metrics.Curve[0].TrueAcceptRate, Is.EqualTo(3 / 2500.0).Within(1e-9));
            Assert.That(metrics.Curve[^1].TrueAcceptRate, Is.EqualTo(1));
        });
    }

    [TestCase(1e-5f, 1)]
    [TestCase(1e-7f, 0.25)]
    public void An_embedding_shorter_than_a_millionth_has_no_direction(float length, double area)
    {
        // Between rows of the same identity 0°, of unlike ones 60° twice; without a direction all cosines of the short one are 0.
        EmbeddingRow[] rows = [new() { Embedding = At(0), Label = 1 }, new() { Embedding = At(0, length), Label = 1 }, new() { Embedding = At(60, 5), Label = 2 }];
        Assert.That(_context.BinaryClassification.EvaluateVerification(_context.Vectors(rows)).AreaUnderCurve, Is.EqualTo(area));
    }

    [Test]
    public void The_highest_of_many_scores_are_kept()
    {
        var scores = Enumerable.Range(0, 300_000).Select(i => (float)i).ToArray();
        new Random(1).Shuffle(scores);
        var top = new TopScores(3);
        foreach (var part in scores.Chunk(777))
            top.Add([.. part]);
        Assert.That(top.Sorted(), Is.EqualTo(new[] { 299_999f, 299_998, 299_997 }));
        top.Add([1, 299_998, 300_000]);
        Assert.That(top.Sorted(), Is.EqualTo(new[] { 300_000f, 299_999, 299_998 }));
        var few = new TopScores(3);
        few.Add([1, 2]);
        Assert.That(few.Sorted(), Is.EqualTo(new[] { 2f, 1 }));
    }

    private VerificationMetrics Verify((double Angle, bool Same)[] pairs, int folds, params double[] rates) => _context.BinaryClassification.EvaluateVerification(
        Pairs(pairs), "First", "Second", "Same", new() { FalseAcceptRates = rates, Folds = folds });

    private IDataView Pairs((double Angle, bool Same)[] pairs) => _context.Vectors([.. pairs.Select(pair => new PairRow { First = At(15, 2), Second = At(15 + pair.Angle, 3), Same = pair.Same })]);

    private sealed class PairRow
    {
        public float[] First { get; set; } = [];

        public float[] Second { get; set; } = [];

        public bool Same { get; set; }
    }
}

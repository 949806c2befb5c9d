using MlNetDistill.Evaluation;

namespace MlNetDistill.Tests.Evaluation;

public sealed class AcceptanceTests
{
    private static readonly ModelCost Cost = new()
    {
        SingleRow = new Latency(40, 90, 1000),
        Batch = new Latency(5, 6, 10),
        ZipBytes = 10_000,
        PeakMemoryBytes = 1_000_000,
    };

    // 100 rows of two classes: the teacher is right on 90, the student on 80 of these and on 1 of the others; all it loses is of class b.
    private readonly DistillationMetrics _metrics = Metrics(replicates: 200);

    [Test]
    public void A_student_that_meets_every_criterion_is_accepted()
    {
        var accepted = new AcceptanceCriteria
        {
            MinimumAccuracyRetention = 0.9,
            MinimumAccuracy = 0.81,
            MinimumAgreement = 0.89,
            MaximumDivergence = 10,
            MaximumClassDrop = 0.2,
            MaximumCalibrationError = 1,
            MaximumLatency = TimeSpan.FromMicroseconds(40),
            MaximumLatencyP95 = TimeSpan.FromMicroseconds(90),
            MaximumZipBytes = 10_000,
        }.Judge(_metrics, Cost);

        Assert.Multiple(() =>
        {
            Assert.That(accepted.Passed);
            Assert.That(accepted.ExitCode, Is.Zero);
            Assert.That(accepted.Checks, Has.Count.EqualTo(9));
            Assert.That(accepted.Checks.Where(check => !check.Passed), Is.Empty);
        });
    }

    private static IEnumerable<TestCaseData> Missed()
    {
        yield return Case(new() { MinimumAccuracyRetention = 0.91 }, 0.9, "90.00 % of the teacher's accuracy (90.00 %) is kept; at least 91.00 %");
        yield return Case(new() { MinimumAccuracy = 0.82 }, 0.81, "81.00 % of the rows have a correct prediction; at least 82.00 %");
        yield return Case(new() { MinimumAgreement = 0.9 }, 0.89, "89.00 % of the rows have the teacher's prediction; at least 90.00 %");
        yield return Case(new() { MaximumClassDrop = 0.19 }, 0.2, "20.00 points is the largest drop of any class ('b', 50 rows); at most 19.00 points");
        yield return Case(new() { MaximumLatency = TimeSpan.FromMicroseconds(39) }, 40, "40.0 µs is the median time of one row through a PredictionEngine; at most 39.0 µs");
        yield return Case(new() { MaximumLatencyP95 = TimeSpan.FromMicroseconds(89) }, 90, "90.0 µs is the 95th percentile of the time of one row through a PredictionEngine; at most 89.0 µs");
        yield return Case(new() { MaximumZipBytes = 9_999 }, 10_000, "10,000 bytes is the size of the saved model; at most 9,999 bytes");

        static TestCaseData Case(AcceptanceCriteria criteria, double found, string reason) => new(criteria, found, reason);
    }

    [TestCaseSource(nameof(Missed))]
    public void A_criterion_that_is_missed_says_by_what(AcceptanceCriteria criteria, double found, string reason)
    {
        var refused = criteria.Judge(_metrics, Cost);

        Assert.Multiple(() =>
        {
            Assert.That(refused.Passed, Is.False);
            Assert.That(refused.ExitCode, Is.EqualTo(3));
            Assert.That(refused.Checks.Single().Found, Is.EqualTo(found).Within(1e-9));
            Assert.That(refused.Checks.Single().Reason, Does.Contain(reason));
            Assert.That($"{refused}", Does.StartWith("Not accepted.").And.Contain("FAIL").And.Contain(reason));
        });
    }

    [Test]
    public void Divergence_and_calibration_are_held_against_the_metrics()
    {
        var (divergence, error) = (_metrics.Divergence.Value, _metrics.Student!.CalibrationError.Value);

        var met = new AcceptanceCriteria { MaximumDivergence = divergence, MaximumCalibrationError = error }.Judge(_metrics);
        var missed = new AcceptanceCriteria { MaximumDivergence = 0.99 * divergence, MaximumCalibrationError = 0.99 * error }.Judge(_metrics);

        Assert.That(met.Checks.Select(check => check.Passed), Is.EqualTo(new[] { true, true }));
        Assert.That(missed.Checks.Select(check => check.Passed), Is.EqualTo(new[] { false, false }));
    }

    [Test]
    public void One_failure_among_many_is_enough()
    {
        var result = new AcceptanceCriteria { MinimumAccuracy = 0.5, MinimumAgreement = 0.99 }.Judge(_metrics);

        Assert.That(result.Checks.Select(check => (check.Criterion, check.Passed)), Is.EqualTo(new[] { ("MinimumAccuracy", true), ("MinimumAgreement", false) }));
        Assert.That(result.ExitCode, Is.EqualTo(3));
    }

    [Test]
    public void By_the_interval_a_small_test_set_must_leave_room()
    {
        var criteria = new AcceptanceCriteria { MinimumAgreement = 0.88 };

        var byInterval = (criteria with { JudgeByInterval = true }).Judge(_metrics);

        Assert.That(criteria.Judge(_metrics).Passed);
        Assert.That(byInterval.Passed, Is.False);
        Assert.That(byInterval.Checks.Single().Found, Is.EqualTo(_metrics.Agreement.Lower));
    }

    [Test]
    public void By_the_interval_every_figure_is_taken_at_its_worse_end()
    {
        var criteria = new AcceptanceCriteria { MinimumAccuracy = 0, MaximumDivergence = 10, MaximumCalibrationError = 1, JudgeByInterval = true };

        var byInterval = criteria.Judge(_metrics);

        var student = _metrics.Student!;
        Assert.That(
            byInterval.Checks.Select(check => (double?)check.Found),
            Is.EqualTo(new[] { student.Accuracy.Lower, _metrics.Divergence.Upper, student.CalibrationError.Upper }));
    }

    [Test]
    public void By_the_interval_the_share_of_the_accuracy_is_drawn_with_both_accuracies()
    {
        // The student is right just where the teacher is not: what one gains by luck the other loses.
        var evaluator = new DistillationEvaluator(["a", "b"], new() { BootstrapReplicates = 1000 });
        for (var row = 0; row < 100; row++)
            evaluator.Add(Says(0, row >= 50, 0.9f), Says(0, row < 50, 0.9f), 0, (ulong)row);

        var kept = new AcceptanceCriteria { MinimumAccuracyRetention = 0.5, JudgeByInterval = true }.Judge(evaluator.Metrics()).Checks.Single();

        // Two sums of 50 rows each: the logarithm of their ratio has a standard error of √(2/50) = 0.2; the student's accuracy alone of 0.14 in place of it.
        Assert.That(kept.Found, Is.EqualTo(Math.Exp(-1.96 * 0.2)).Within(0.05));
    }

    [Test]
    public void Classes_of_few_rows_are_not_looked_at()
    {
        var criteria = new AcceptanceCriteria { MaximumClassDrop = 0.1, MinimumClassRows = 51 };

        Assert.That(() => criteria.Judge(_metrics), Throws.InvalidOperationException.With.Message.Contains("at least MinimumClassRows = 51 labelled rows, and the largest has 50"));
    }

    [Test]
    public void What_is_not_known_is_asked_for()
    {
        var unlabelled = new DistillationEvaluator(["a", "b"]);
        unlabelled.Add([0.9f, 0.1f], [0.8f, 0.2f], null, 0);

        Assert.Multiple(() =>
        {
            Assert.That(
                () => new AcceptanceCriteria { MaximumZipBytes = 1 }.Judge(_metrics), Throws.InvalidOperationException.With.Message.Contains("mlContext.Model.MeasureCost"));
            Assert.That(
                () => new AcceptanceCriteria { MinimumAccuracy = 0.5 }.Judge(unlabelled.Metrics()), Throws.InvalidOperationException.With.Message.Contains("needs rows with labels"));
            Assert.That(
                () => new AcceptanceCriteria { MinimumAgreement = 0.5, JudgeByInterval = true }.Judge(Metrics(replicates: 0)),
                Throws.InvalidOperationException.With.Message.Contains("BootstrapReplicates of at least 2"));
        });
    }

    [Test]
    public void Every_fault_of_the_criteria_is_named_at_once()
    {
        var criteria = new AcceptanceCriteria
        {
            MinimumAccuracyRetention = 0,
            MinimumAgreement = 97,
            MaximumDivergence = double.NaN,
            MinimumClassRows = 0,
            MaximumLatency = TimeSpan.Zero,
            MaximumZipBytes = 0,
        };

        Assert.That(
            () => criteria.Judge(_metrics, Cost),
            Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("MinimumAccuracyRetention must be above 0; was 0.")
                .And.Message.Contains("MinimumAgreement must be in [0, 1]; was 97.")
                .And.Message.Contains("MaximumDivergence must be at least 0; was NaN.")
                .And.Message.Contains("MinimumClassRows must be at least 1; was 0.")
                .And.Message.Contains("MaximumLatency must be above 0")
                .And.Message.Contains("MaximumZipBytes must be at least 1; was 0."));
    }

    [Test]
    public void A_gate_that_asks_for_nothing_is_refused() => Assert.That(
        () => new AcceptanceCriteria().Judge(_metrics), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("every student would pass"));

    private static DistillationMetrics Metrics(int replicates)
    {
        var evaluator = new DistillationEvaluator(["a", "b"], new DistillationEvaluationOptions { BootstrapReplicates = replicates });
        for (var row = 0; row < 100; row++)
        {
            // Class a: 0 to 49, b: 50 to 99. The teacher errs on 0 to 9; the student on 1 to 9 with it, and on 90 to 99 alone.
            var label = row < 50 ? 0 : 1;
            var (teacherErrs, studentErrs) = (row < 10, row is (>= 1 and < 10) or >= 90);
            evaluator.Add(Says(label, teacherErrs, 0.9f), Says(label, studentErrs, 0.8f), label, (ulong)row);
        }

        return evaluator.Metrics();
    }

    private static float[] Says(int label, bool errs, float confidence) => (label == 0) != errs ? [confidence, 1 - confidence] : [1 - confidence, confidence];
}

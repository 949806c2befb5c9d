using MlNetDistill.Evaluation;
using static MlNetDistill.Tests.Evaluation.MetricsRows;

namespace MlNetDistill.Tests.Evaluation;

/// <summary>Rows in any order and in any number of parts give the same figures and the same intervals.</summary>
public sealed class MetricsMergeTests
{
    private readonly MetricsRow[] _rows = Some();

    [Test]
    public void The_order_of_the_rows_changes_nothing()
    {
        var shuffled = _rows.ToArray();
        new Random(3).Shuffle(shuffled);
        AreEqual(Measure(shuffled), Measure(_rows));
    }

    [Test]
    public void Merged_parts_equal_the_whole_intervals_too()
    {
        var whole = new DistillationEvaluator(Names(4));
        foreach (var part in _rows.Chunk(150))
            whole.Merge(new DistillationEvaluator(Names(4)).Fed(part));
        Assert.That(whole.Rows, Is.EqualTo(_rows.Length));
        AreEqual(whole.Metrics(), Measure(_rows));
    }

    [Test]
    public void Threads_evaluate_their_own_parts()
    {
        var whole = new DistillationEvaluator(Names(4));
        Parallel.ForEach(_rows.Chunk(100), () => new DistillationEvaluator(Names(4)), (part, _, own) => own.Fed(part), own =>
        {
            lock (whole)
                whole.Merge(own);
        });
        AreEqual(whole.Metrics(), Measure(_rows));
    }

    [Test]
    public void What_is_merged_in_stays_as_it_is()
    {
        var (first, second) = (new DistillationEvaluator(Names(4)).Fed(_rows[..200]), new DistillationEvaluator(Names(4)).Fed(_rows[200..]));
        first.Merge(second);
        AreEqual(second.Metrics(), Measure(_rows[200..]));
    }

    [Test]
    public void Metrics_do_not_change_when_more_rows_follow()
    {
        var evaluator = new DistillationEvaluator(Names(4)).Fed(_rows[..200]);
        var metrics = evaluator.Metrics();
        evaluator.Fed(_rows[200..]);
        AreEqual(metrics, Measure(_rows[..200]));
        AreEqual(evaluator.Metrics(), Measure(_rows));
    }

    [Test]
    public void A_row_that_is_refused_leaves_no_trace()
    {
        var evaluator = new DistillationEvaluator(Names(4)).Fed(_rows[..200]);
        Assert.That(() => evaluator.Add(_rows[0].Teacher, [float.NaN, 0, 0, 1], 0, 7), Throws.InvalidOperationException);
        Assert.That(() => evaluator.Add(_rows[0].Teacher, [0, 1], 0, 7), Throws.ArgumentException);
        Assert.That(() => evaluator.Add(_rows[0].Teacher, _rows[0].Student, 4, 7), Throws.TypeOf<ArgumentOutOfRangeException>());
        AreEqual(evaluator.Fed(_rows[200..]).Metrics(), Measure(_rows));
    }

    [Test]
    public void Other_classes_are_not_merged() => Assert.That(
        () => new DistillationEvaluator(["a", "b"]).Merge(new DistillationEvaluator(["b", "a"])),
        Throws.ArgumentException.With.Message.StartsWith(
            "Only evaluators with the same classes in the same order can be merged. This one has 'a', 'b'; the other has 'b', 'a'."));

    [Test]
    public void Other_options_are_not_merged() => Assert.That(
        () => new DistillationEvaluator(["a", "b"]).Merge(new DistillationEvaluator(["a", "b"], new() { Seed = 2 })),
        Throws.ArgumentException.With.Message.StartsWith("Only evaluators with the same options can be merged")
            .And.Message.Contains("Seed 1").And.Message.Contains("Seed 2"));

    [Test]
    public void Equal_options_need_not_be_the_same_object()
    {
        DistillationEvaluationOptions Options() => new() { TopK = [2, 3], TeacherClassNames = ["b", "a", "c"], ClassMap = new ClassMap { DropOthers = true } };
        var evaluator = new DistillationEvaluator(["a", "b"], Options());
        Assert.That(() => evaluator.Merge(new DistillationEvaluator(["a", "b"], Options())), Throws.Nothing);
    }
}

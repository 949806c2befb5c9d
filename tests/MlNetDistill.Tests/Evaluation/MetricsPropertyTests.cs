using MlNetDistill.Evaluation;
using static MlNetDistill.Tests.Evaluation.MetricsRows;

namespace MlNetDistill.Tests.Evaluation;

/// <summary>What must hold of any rows.</summary>
[TestFixture(2)]
[TestFixture(4)]
[TestFixture(30)]
public sealed class MetricsPropertyTests(int classes)
{
    private readonly MetricsRow[] _rows = Some(classes: classes);

    [Test]
    public void A_student_that_is_its_teacher_agrees_in_everything()
    {
        foreach (var metrics in new[] { Measure(Same(row => row)), Measure(Same(p => MathF.Log(p)), MetricsRows.Logits) })
        {
            Assert.Multiple(() =>
            {
                foreach (var one in new[] { metrics.Agreement, metrics.AgreementWhereTeacherIsCorrect!.Value, metrics.AgreementWhereTeacherIsWrong!.Value })
                    Assert.That((one.Value, one.Upper), Is.EqualTo((1.0, 1.0)));
                Assert.That(metrics.RankCorrelation!.Value.Value, Is.EqualTo(1).Within(1e-12));
                Assert.That(metrics.TopKOverlap.Select(o => o.Overlap.Value), Has.All.EqualTo(1));
                Assert.That((metrics.Divergence.Value, metrics.ReverseDivergence.Value, metrics.SquaredDifference.Value), Is.EqualTo((0, 0, 0)));
                Assert.That(metrics.JensenShannonDivergence.Value, Is.EqualTo(0).Within(1e-15));
                Assert.That(Numbers(metrics.Student!), Is.EqualTo(Numbers(metrics.Teacher!)));
                Assert.That(metrics.WorstRegressions, Is.Empty);
            });
        }
    }

    [Test]
    public void No_row_has_a_divergence_below_0_or_a_Jensen_Shannon_divergence_above_ln_2()
    {
        foreach (var metrics in _rows.Concat(Extreme()).Select(row => Measure([row], NoIntervals)))
        {
            Assert.That(metrics.Divergence.Value, Is.GreaterThanOrEqualTo(0).And.LessThan(double.PositiveInfinity));
            Assert.That(metrics.ReverseDivergence.Value, Is.GreaterThanOrEqualTo(0).And.LessThan(double.PositiveInfinity));
            Assert.That(metrics.JensenShannonDivergence.Value, Is.InRange(0, Math.Log(2)));
            Assert.That(metrics.SquaredDifference.Value, Is.InRange(0, (2.0 / classes) + 1e-12));
        }
    }

    [Test]
    public void Teacher_and_student_in_each_others_place_turn_the_divergence_round()
    {
        var there = Measure(_rows, NoIntervals);
        var back = Measure([.. _rows.Select(row => row with { Teacher = row.Student, Student = row.Teacher })], NoIntervals);
        Assert.Multiple(() =>
        {
            Assert.That(back.Divergence, Is.EqualTo(there.ReverseDivergence));
            Assert.That(back.JensenShannonDivergence, Is.EqualTo(there.JensenShannonDivergence));
            Assert.That(back.Agreement, Is.EqualTo(there.Agreement));
            Assert.That(back.RankCorrelation, Is.EqualTo(there.RankCorrelation));
            Assert.That(back.Matrix[0, 1], Is.EqualTo(there.Matrix[1, 0]));
            Assert.That(Numbers(back.Student!), Is.EqualTo(Numbers(there.Teacher!)));
        });
    }

    [Test]
    public void Other_numbers_for_the_classes_change_nothing()
    {
        // No equal scores: of equal classes the first counts, whatever class that is.
        MetricsRow[] rows = [.. _rows.Where((_, i) => i % 5 != 0)];
        int[] order = [.. Enumerable.Range(0, classes).Select(c => (c + 1) % classes)];
        float[] Moved(float[] scores) => [.. order.Select(c => scores[c])];
        int? NumberOf(int? label) => label is { } c ? Array.IndexOf(order, c) : null;
        var moved = new DistillationEvaluator([.. order.Select(c => Names(classes)[c])])
            .Fed(rows.Select(row => row with { Teacher = Moved(row.Teacher), Student = Moved(row.Student), Label = NumberOf(row.Label) })).Metrics();
        var metrics = Measure(rows);
        Assert.That(moved.PerClass.OrderBy(c => c.Class), Is.EqualTo(metrics.PerClass.OrderBy(c => c.Class)));
        // What is left has no class in it.
        var (found, wanted) = (Numbers(Classless(moved)), Numbers(Classless(metrics)));
        Assert.That(wanted, Has.Count.GreaterThan(100));
        Assert.That(wanted.Keys.Max(path => Math.Abs(found[path] - wanted[path])), Is.LessThan(1e-12));
    }

    [Test]
    public void The_cells_of_the_matrix_sum_to_the_rows_and_its_diagonal_to_the_agreement()
    {
        var metrics = Measure(_rows, NoIntervals);
        Assert.That(metrics.Matrix.Sum(cell => cell.Rows), Is.EqualTo(metrics.Rows));
        var diagonal = metrics.Matrix.Where(cell => cell.Teacher == cell.Student).Sum(cell => cell.Rows);
        Assert.That(diagonal / (double)metrics.Rows, Is.EqualTo(metrics.Agreement.Value));
        Assert.That(metrics.PerClass.Sum(c => c.StudentCorrect) / (double)metrics.LabelledRows, Is.EqualTo(metrics.Student!.Accuracy.Value));
    }

    private static object Classless(DistillationMetrics metrics) => new
    {
        metrics.Teacher,
        metrics.Student,
        metrics.Agreement,
        metrics.AgreementWhereTeacherIsCorrect,
        metrics.AgreementWhereTeacherIsWrong,
        metrics.Divergence,
        metrics.ReverseDivergence,
        metrics.JensenShannonDivergence,
        metrics.SquaredDifference,
        metrics.RankCorrelation,
        metrics.TopKOverlap,
    };

    private MetricsRow[] Same(Func<float, float> score) =>
        [.. _rows.Select(row => row with { Teacher = [.. row.Teacher.Select(score)], Student = [.. row.Teacher.Select(score)] })];

    private IEnumerable<MetricsRow> Extreme()
    {
        float[] One(int at) => [.. Enumerable.Range(0, classes).Select(c => c == at ? 1f : 0)];
        float[] Flat() => [.. Enumerable.Repeat(1f / classes, classes)];
        float[] OffByTheTolerance() => [.. Flat().Select(p => p * 1.0009f)];
        yield return new MetricsRow(One(0), One(1), 0, 1);
        yield return new MetricsRow(One(0), One(0), 0, 1);
        yield return new MetricsRow(Flat(), One(1), 0, 1);
        yield return new MetricsRow(One(1), Flat(), 0, 1);
        yield return new MetricsRow(Flat(), OffByTheTolerance(), 0, 1);
        yield return new MetricsRow(OffByTheTolerance(), One(1), 0, 1);
        // So near that rounding decides of which sign their divergence is.
        foreach (var row in _rows)
            yield return row with { Student = [.. row.Teacher.Select((p, c) => c == 0 ? MathF.BitIncrement(p) : p)] };
    }
}

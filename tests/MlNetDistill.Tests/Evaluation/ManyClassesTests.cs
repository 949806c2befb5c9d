using System.Text.Json;
using MlNetDistill.Evaluation;
using MlNetDistill.Tests.Evaluation.Report;

namespace MlNetDistill.Tests.Evaluation;

/// <summary>With many classes, only pairs of classes that occur count: in memory, in the report's files and on its page.</summary>
public sealed class ManyClassesTests
{
    [Test]
    public void Memory_grows_with_the_pairs_that_occur_and_not_with_the_square_of_the_classes()
    {
        // All pairs of classes would be 3.2 GB.
        const int classes = 20_000;
        var names = MetricsRows.Names(classes);
        var (teacher, student) = (new float[classes], new float[classes]);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var evaluator = new DistillationEvaluator(names, new() { BootstrapReplicates = 0, StudentScoreKind = ScoreKind.Logits, TeacherScoreKind = ScoreKind.Logits });
        foreach (var (id, (first, second)) in new[] { (7, 7), (7, 19_999), (19_999, 3), (7, 19_999) }.Index())
        {
            (teacher[first], student[second]) = (5, 5);
            evaluator.Add(teacher, student, first, (ulong)id);
            (teacher[first], student[second]) = (0, 0);
        }

        var metrics = evaluator.Metrics();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(2000L * classes));
        Assert.That(metrics.Matrix, Is.EqualTo(new AgreementCell[] { new(7, 7, 1), new(7, 19_999, 2), new(19_999, 3, 1) }));
        Assert.That((metrics.PerClass[7].TeacherPredicts, metrics.PerClass[7].BothPredict, metrics.Matrix[3, 3]), Is.EqualTo((3, 1, 0)));
    }

    [Test]
    public void A_report_of_a_matrix_of_many_cells_has_those_with_the_most_rows()
    {
        // Every pair of 150 classes occurs: the diagonal and the cells beside it ten times, the others once.
        const int classes = 150;
        var report = ReportSamples.Letters() with
        {
            Metrics = ReportRows.Drawn(MetricsRows.Names(classes), 3000, 1) with
            {
                Matrix = ReportRows.Matrix(
                    from teacher in Enumerable.Range(0, classes)
                    from student in Enumerable.Range(0, classes)
                    from _ in Enumerable.Range(0, Math.Abs(teacher - student) <= 1 ? 10 : 1)
                    select (teacher, teacher, student),
                    classes),
            },
        };

        using var json = JsonDocument.Parse(report.ToJson());
        var cells = json.RootElement.GetProperty("metrics").GetProperty("test").GetProperty("matrix").EnumerateArray()
            .Select(cell => (Teacher: cell.GetProperty("teacher").GetInt32(), Student: cell.GetProperty("student").GetInt32(), Rows: cell.GetProperty("rows").GetInt64())).ToList();
        Assert.Multiple(() =>
        {
            Assert.That(cells, Has.Count.EqualTo(10_000));
            Assert.That(cells.Where(cell => cell.Rows == 10), Is.EquivalentTo(
                from teacher in Enumerable.Range(0, classes)
                from student in Enumerable.Range(0, classes)
                where Math.Abs(teacher - student) <= 1
                select (teacher, student, 10L)));
            Assert.That(cells, Is.Ordered);
            Assert.That(report.ToHtml(), Does.Contain("of its 22,500 cells that are not empty, the 10,000 with the most rows are in"));
        });
    }

    [Test]
    public void The_files_of_a_report_of_a_thousand_classes_stay_small()
    {
        // Teacher and student disagree on 100,000 pairs of classes, more than the report has rows for.
        var random = new Random(1);
        var report = ReportSamples.All["thousand-classes"]();
        report = report with
        {
            Metrics = report.Metrics with { Matrix = ReportRows.Matrix(Enumerable.Range(0, 100_000).Select(i => (0, random.Next(1000), random.Next(1000))), 1000) },
        };
        Assert.That((report.ToHtml().Length, report.ToJson().Length), Is.LessThan((400_000, 3_000_000)).Using<(int Html, int Json)>((a, b) => Math.Max(a.Html - b.Html, a.Json - b.Json)));
    }
}

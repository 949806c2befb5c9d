using System.Xml.Linq;
using MlNetDistill.Evaluation;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>What the student says where the teacher says something.</summary>
internal static class MatrixSection
{
    private const int MostPairs = 20;

    public static Section Create(DistillationReport report)
    {
        var metrics = report.Metrics;
        var pairs = metrics.Matrix.Where(cell => cell.Teacher != cell.Student)
            .OrderByDescending(cell => cell.Rows).ThenBy(cell => cell.Teacher).ThenBy(cell => cell.Student).ToList();
        return new("matrix", "Agreement matrix", Map(metrics), Pairs(metrics, pairs));
    }

    private static XElement Map(DistillationMetrics metrics) => metrics.Classes.Count > HeatMap.Most
        ? Paragraph($"A matrix of {Figures.Count(metrics.Classes.Count)} classes is too large to be read here; all its cells are in ",
            Tag("code", "report.json"), ".")
        : Tag(
            "figure",
            Class("matrix"),
            Tag(
                "figcaption",
                With("id", "matrix-caption"),
                "Rows by the class that the teacher (down) and the student (across) name. On the diagonal they agree. " +
                "The shade is the share of what the teacher names so, on a square-root scale; every cell's rows are in report.json."),
            Tag("div", Class("scroll"), With("role", "group"), With("tabindex", "0"), With("aria-labelledby", "matrix-caption"),
                HeatMap.Draw("matrix-map", metrics)));

    private static XElement Pairs(DistillationMetrics metrics, IReadOnlyList<AgreementCell> pairs) => pairs.Count == 0
        ? Paragraph("Teacher and student disagree on no row.")
        : Table.Create(
            "matrix-pairs",
            pairs.Count > MostPairs
                ? $"The {MostPairs} most frequent of {Figures.Count(pairs.Count)} kinds of disagreement"
                : "Disagreements, the most frequent first",
            ["The teacher names", "the student names", "Rows", "Share of what the teacher names so"],
            pairs.Take(MostPairs).Select(pair => (object?[])
            [
                Name(metrics.Classes[pair.Teacher]), Table.Words(Name(metrics.Classes[pair.Student])), Figures.Count(pair.Rows),
                Table.Measured((double)pair.Rows / metrics.PerClass[pair.Teacher].TeacherPredicts, Figures.Percent),
            ]));
}

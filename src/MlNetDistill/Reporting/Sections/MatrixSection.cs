using System.Xml.Linq;
using MlNetDistill.Evaluation;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>The agreement matrix: the student's predictions for each prediction of the teacher.</summary>
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

    private static XElement Map(DistillationMetrics metrics) => metrics.Classes.Count > HeatMap.MaximumClasses
        ? Paragraph($"A matrix of {Figures.Count(metrics.Classes.Count)} classes is too large to show here; {Written(metrics)} in ",
            Tag("code", "report.json"), ".")
        : Tag(
            "figure",
            Class("matrix"),
            Tag(
                "figcaption",
                Attr("id", "matrix-caption"),
                "Number of rows for each pair of predictions: the teacher's down, the student's across. On the diagonal they agree. " +
                "The darker a cell, the larger its share of the teacher's predictions of that class (square-root scale). All numbers are in report.json."),
            Tag("div", Class("scroll"), Attr("role", "group"), Attr("tabindex", "0"), Attr("aria-labelledby", "matrix-caption"),
                HeatMap.Draw("matrix-map", metrics)));

    private static string Written(DistillationMetrics metrics) => metrics.Matrix.CellCount <= ReportJson.MaximumCells
        ? "all its cells are"
        : $"of its {Figures.Count(metrics.Matrix.CellCount)} cells that are not empty, the {Figures.Count(ReportJson.MaximumCells)} with the most rows are";

    private static XElement Pairs(DistillationMetrics metrics, IReadOnlyList<AgreementCell> pairs) => pairs.Count == 0
        ? Paragraph("Teacher and student agree on every row.")
        : Table.Create(
            "matrix-pairs",
            pairs.Count > MostPairs
                ? $"The {MostPairs} most frequent disagreements of {Figures.Count(pairs.Count)}"
                : "Disagreements, most frequent first",
            ["Teacher predicts", "Student predicts", "Rows", "Share of the teacher's predictions of this class"],
            pairs.Take(MostPairs).Select(pair => (object?[])
            [
                Name(metrics.Classes[pair.Teacher]), Table.TextCell(Name(metrics.Classes[pair.Student])), Figures.Count(pair.Rows),
                Table.NumberCell((double)pair.Rows / metrics.PerClass[pair.Teacher].TeacherPredicts, Figures.Percent),
            ]));
}

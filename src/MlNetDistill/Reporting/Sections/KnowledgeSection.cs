using MlNetDistill.Evaluation;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>How the teacher's knowledge rescales the gradients of rows.</summary>
internal static class KnowledgeSection
{
    public static Section? Create(DistillationReport report) => report.Knowledge is not { } knowledge ? null : new(
        "knowledge",
        "What the teacher's knowledge does to each row",
        Paragraph(FormattableString.Invariant(
            $"ω is the ratio of a row's gradient by KD (temperature {knowledge.Temperature}, α {knowledge.Alpha}) to its gradient by the label alone, at the student's score of the label, with the student as it is. "),
            "At 1 the teacher changes nothing, at 0 the row teaches nothing about its label, and below 0 the teacher pushes the probability of the label down. ",
            FormattableString.Invariant($"The models, settings and {Figures.Count(knowledge.AllRows)} rows are those that were given to DiagnoseKnowledge.")),
        Tag("div", Class("figures"), QuantileChart.Draw(
            "knowledge-quantiles", "ω of the rows: the bar has the middle half of them, the line 90 %", "ω", knowledge.Quantiles, (1, "label alone"))),
        Table.Create(
            "knowledge-shares", "ω that a share of the rows is below", [.. knowledge.Quantiles.Select(quantile => FormattableString.Invariant($"{100 * quantile.Share:0.##}\u00A0%")).Prepend("Share")],
            [[.. knowledge.Quantiles.Select(quantile => Number(quantile.Value)).Prepend("ω")]]),
        Table.Create("knowledge-table", "ω of all rows", ["Measure", "Value"], Rows(knowledge)));

    private static IEnumerable<IReadOnlyList<object?>> Rows(KnowledgeDiagnosis knowledge) =>
    [
        Row("Rows", "with a label and an ω", Figures.Count(knowledge.Rows)),
        .. Left("Rows without a label", "left out", knowledge.UnlabelledRows),
        .. Left("Rows of which the student is certain", "left out: their label has no gradient", knowledge.CertainRows),
        Row("Mean", "of all rows", Number(knowledge.Mean)),
        Row("Share below 0", "the teacher pushes the label down", Table.NumberCell(knowledge.NegativeShare, Figures.Percent)),
        Row("Rank correlation with the teacher's confidence", "its highest probability", Number(knowledge.ConfidenceCorrelation)),
        Row("Rank correlation with its probability of the label", "how easy the row is for it", Number(knowledge.LabelProbabilityCorrelation)),
    ];

    private static object?[] Row(string name, string meaning, object? cell) => [Table.Head(name, meaning), cell];

    private static object?[][] Left(string name, string meaning, long rows) => rows == 0 ? [] : [Row(name, meaning, Figures.Count(rows))];

    private static object? Number(double? value) => Table.NumberCell(value, Figures.Number);
}

using MlNetDistill.Evaluation;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>All measures of how well the student matches its teacher.</summary>
internal static class FidelitySection
{
    public static Section Create(DistillationReport report)
    {
        List<(object Title, DistillationMetrics Metrics)> columns = [(Title(report.Student.Name, "test rows"), report.Metrics)];
        if (report.TrainingMetrics is { } training)
            columns.Add((Title(report.Student.Name, "training rows"), training));
        if (report.AloneMetrics is { } alone)
            columns.Add((Title(ComparedModel.From(report).Single(model => model.Kind == "alone").Name, "test rows"), alone));
        return new(
            "fidelity",
            "Fidelity to the teacher",
            Paragraph("Accuracy is how often a model is correct. Fidelity is how closely it follows its teacher. A model can do well on one and badly on the other."),
            Table.Create("fidelity-table", "Fidelity in detail", [.. columns.Select(c => c.Title).Prepend("Measure")], Rows([.. columns.Select(c => c.Metrics)])));
    }

    private static object[] Title(string name, string rows) => [Name(name), Tag("small", rows)];

    private static IEnumerable<IReadOnlyList<object?>> Rows(IReadOnlyList<DistillationMetrics> all)
    {
        List<object?[]> rows =
        [
            Row("Rows", "compared", m => Table.NumberCell(m.Rows, n => Figures.Count((long)n))),
            Row("Agreement", "higher is better", m => Table.EstimateCell(m.Agreement, Figures.Percent)),
            Row("… where the teacher is correct", "higher is better", m => Table.EstimateCell(m.AgreementWhereTeacherIsCorrect, Figures.Percent)),
            Row("… where the teacher is wrong", "mistakes copied", m => Table.EstimateCell(m.AgreementWhereTeacherIsWrong, Figures.Percent)),
            Row("KL(teacher ‖ student) in nats", "lower is better", m => Table.EstimateCell(m.Divergence, Figures.Number)),
            Row("KL(student ‖ teacher) in nats", "lower is better", m => Table.EstimateCell(m.ReverseDivergence, Figures.Number)),
            Row("Jensen-Shannon in nats", "lower is better", m => Table.EstimateCell(m.JensenShannonDivergence, Figures.Number)),
            Row("Squared difference", "lower is better", m => Table.EstimateCell(m.SquaredDifference, value => FormattableString.Invariant($"{value:0.000000}"))),
            Row("Rank correlation", "higher is better", m => Table.EstimateCell(m.RankCorrelation, Figures.Number)),
        ];
        rows.AddRange(all.SelectMany(m => m.TopKOverlap).Select(top => top.K).Distinct().Order().Select(k =>
            Row($"Overlap of the top {k}", "higher is better", m => Table.EstimateCell(m.TopKOverlap.FirstOrDefault(top => top.K == k)?.Overlap, Figures.Percent))));
        return rows.Where(row => row.Skip(1).Any(cell => cell is not null));

        object?[] Row(string name, string meaning, Func<DistillationMetrics, object?> cell) => [Table.Head(name, meaning), .. all.Select(cell)];
    }
}

using MlNetDistill.Evaluation;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>All measures of the models, side by side.</summary>
internal static class ComparisonSection
{
    public const string Title = "The models side by side";

    public static Section Create(DistillationReport report)
    {
        var models = ComparedModel.From(report);
        var rows = Rows(models).Where(row => row.Skip(1).Any(cell => cell is not null)).ToList();
        return new(
            "comparison",
            Title,
            Table.Create("comparison-table", Caption(report), [.. models.Select(NameOf).Prepend("Measure")], rows),
            Missing(report, models) is { Length: > 0 } missing ? Paragraph(Class("note"), $"Not measured: {missing}.") : null);
    }

    private static object NameOf(ComparedModel model) => model.Model.Kind is { Length: > 0 } kind && kind != model.Name
        ? new object[] { Name(model.Name), Tag("small", Name(kind)) }
        : Name(model.Name);

    private static string Caption(DistillationReport report)
    {
        var labelled = report.Metrics.LabelledRows == 0 ? " without labels" : report.Metrics.LabelledRows < report.Metrics.Rows ? $" ({Figures.Count(report.Metrics.LabelledRows)} with a label)" : "";
        var intervals = report.Metrics.Agreement.Lower is null ? "" : "; the range below a figure is its confidence interval over rows";
        return $"Quality on {Figures.Count(report.Metrics.Rows, "test row")}{labelled}, and cost{intervals}";
    }

    private static IEnumerable<IReadOnlyList<object?>> Rows(IReadOnlyList<ComparedModel> models)
    {
        yield return Row("Accuracy", "higher is better", m => Table.EstimateCell(m.Quality?.Accuracy, Figures.Percent));
        yield return Row("Log-loss in nats", "lower is better", m => Table.EstimateCell(m.Quality?.LogLoss, Figures.Number));
        yield return Row("Brier score", "lower is better", m => Table.EstimateCell(m.Quality?.Brier, Figures.Number));
        yield return Row("Calibration error", "lower is better", m => Table.EstimateCell(m.Quality?.CalibrationError, Figures.Percent));
        yield return Row("Agreement with the teacher", "higher is better", m => Table.EstimateCell(m.Fidelity?.Agreement, Figures.Percent));
        yield return Row("KL(teacher ‖ model) in nats", "lower is better", m => Table.EstimateCell(m.Fidelity?.Divergence, Figures.Number));
        yield return Row("Parameters", "networks only", m => Table.NumberCell(m.Model.Parameters, n => Figures.Count((long)n)));
        yield return Row("Size", "saved model", m => Table.NumberCell(m.Model.Cost?.ZipBytes, Figures.Bytes));
        yield return Row("Time of one row, median", "PredictionEngine, warm", m => Table.NumberCell(m.Model.Cost?.SingleRow.Median, Figures.Microseconds));
        yield return Row("Time of one row, 95th percentile", "PredictionEngine, warm", m => Table.NumberCell(m.Model.Cost?.SingleRow.P95, Figures.Microseconds));
        yield return Row("Time per row of a batch, median", "Transform, warm", m => Table.NumberCell(m.Model.Cost?.Batch.Median, Figures.Microseconds));
        yield return Row("Time per row of a batch, 95th percentile", "Transform, warm", m => Table.NumberCell(m.Model.Cost?.Batch.P95, Figures.Microseconds));
        yield return Row("Memory", "peak growth", m => Table.NumberCell(m.Model.Cost?.PeakMemoryBytes, Figures.Bytes));

        object?[] Row(string name, string meaning, Func<ComparedModel, object?> cell) => [Table.Head(name, meaning), .. models.Select(cell)];
    }

    private static string Missing(DistillationReport report, IReadOnlyList<ComparedModel> models)
    {
        List<string> missing = [];
        if (report.Metrics.Student is null)
            missing.Add("accuracy and calibration (no row has a label)");
        if (models.All(model => model.Model.Cost is null))
            missing.Add("time, memory and size");
        else
            missing.AddRange(models.Where(model => model.Model.Cost is null).Select(model => $"time, memory and size of {model.Name}"));
        if (report.AloneMetrics is null)
            missing.Add("the student trained alone");
        return string.Join("; ", missing);
    }
}

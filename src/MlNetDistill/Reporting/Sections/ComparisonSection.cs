using MlNetDistill.Evaluation;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>The models side by side.</summary>
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
            Table.Create("comparison-table", Caption(report), [.. models.Select(NameOf).Prepend("On the test rows")], rows),
            Missing(report, models) is { Length: > 0 } missing ? Paragraph(Class("note"), $"Not measured: {missing}.") : null);
    }

    private static object NameOf(ComparedModel model) => model.Model.Kind is { Length: > 0 } kind && kind != model.Name
        ? new object[] { Name(model.Name), Tag("small", Name(kind)) }
        : Name(model.Name);

    private static string Caption(DistillationReport report)
    {
        var labelled = report.Metrics.LabelledRows == 0 ? " without labels" : report.Metrics.LabelledRows < report.Metrics.Rows ? $", of which {Figures.Count(report.Metrics.LabelledRows)} have a label" : "";
        var intervals = report.Metrics.Agreement.Lower is null ? "" : "; below a figure is its confidence interval over rows";
        return $"Quality and cost, measured on {Figures.Count(report.Metrics.Rows)} rows{labelled}{intervals}";
    }

    private static IEnumerable<IReadOnlyList<object?>> Rows(IReadOnlyList<ComparedModel> models)
    {
        yield return Row("Accuracy", "more is better", m => Table.Estimated(m.Quality?.Accuracy, Figures.Percent));
        yield return Row("Log-loss, nats", "less is better", m => Table.Estimated(m.Quality?.LogLoss, Figures.Number));
        yield return Row("Brier score", "less is better", m => Table.Estimated(m.Quality?.Brier, Figures.Number));
        yield return Row("Calibration error", "less is better", m => Table.Estimated(m.Quality?.CalibrationError, Figures.Percent));
        yield return Row("Agreement with the teacher", "more is better", m => Table.Estimated(m.Fidelity?.Agreement, Figures.Percent));
        yield return Row("KL(teacher ‖ model), nats", "less is better", m => Table.Estimated(m.Fidelity?.Divergence, Figures.Number));
        yield return Row("Parameters", "of a network", m => Table.Measured(m.Model.Parameters, n => Figures.Count((long)n)));
        yield return Row("Saved model", "the zip file", m => Table.Measured(m.Model.Cost?.ZipBytes, Figures.Bytes));
        yield return Row("One row, median", "PredictionEngine, warm", m => Table.Measured(m.Model.Cost?.SingleRow.Median, Figures.Microseconds));
        yield return Row("One row, 95 % within", "PredictionEngine, warm", m => Table.Measured(m.Model.Cost?.SingleRow.P95, Figures.Microseconds));
        yield return Row("A row of many, median", "Transform, warm", m => Table.Measured(m.Model.Cost?.Batch.Median, Figures.Microseconds));
        yield return Row("A row of many, 95 % within", "Transform, warm", m => Table.Measured(m.Model.Cost?.Batch.P95, Figures.Microseconds));
        yield return Row("Memory", "growth at its largest", m => Table.Measured(m.Model.Cost?.PeakMemoryBytes, Figures.Bytes));

        object?[] Row(string name, string meaning, Func<ComparedModel, object?> cell) => [Table.Head(name, meaning), .. models.Select(cell)];
    }

    private static string Missing(DistillationReport report, IReadOnlyList<ComparedModel> models)
    {
        List<string> missing = [];
        if (report.Metrics.Student is null)
            missing.Add("accuracy and calibration, as no row has a label");
        if (models.All(model => model.Model.Cost is null))
            missing.Add("time, memory and size");
        else
            missing.AddRange(models.Where(model => model.Model.Cost is null).Select(model => $"time, memory and size of {model.Name}"));
        if (report.AloneMetrics is null)
            missing.Add("the student trained alone");
        return string.Join("; ", missing);
    }
}

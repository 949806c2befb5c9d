using System.Xml.Linq;
using MlNetDistill.Evaluation;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>Time, size and memory of the models.</summary>
internal static class CostSection
{
    public static Section? Create(IReadOnlyList<ComparedModel> compared)
    {
        List<ComparedModel> models = [.. compared.Where(model => model.Model.Cost is not null)];
        return models.Count == 0 ? null : new(
            "cost",
            "Latency and size",
            Paragraph("Measured on one machine after warm-up. Bars are medians; the stroke is the 95th percentile."),
            Tag(
                "div",
                Class("figures"),
                Chart("engine", "One row, PredictionEngine", cost => cost.SingleRow.Median, cost => cost.SingleRow.P95, Figures.Microseconds),
                Chart("bulk", "Per row of a batch, Transform", cost => cost.Batch.Median, cost => cost.Batch.P95, Figures.Microseconds),
                Chart("size", "Size of the saved model", cost => cost.ZipBytes, null, Figures.Bytes),
                Chart("memory", "Memory: peak growth while loading and scoring", cost => cost.PeakMemoryBytes, null, Figures.Bytes)),
            Counts(models));

        XElement Chart(string id, string caption, Func<ModelCost, double> value, Func<ModelCost, double>? tail, Func<double, string> format) =>
            BarChart.Draw($"cost-{id}", caption, [.. models.Select(model => Bar(model, value(model.Model.Cost!), tail?.Invoke(model.Model.Cost!), format))]);
    }

    private static Bar Bar(ComparedModel model, double value, double? tail, Func<double, string> format) =>
        new(model.Name, model.Kind, value, tail is { } p95 ? $"{format(value)}, 95 %: {format(p95)}" : format(value), tail);

    private static XElement Counts(IReadOnlyList<ComparedModel> models) => Table.Create(
        "cost-table",
        "Times in microseconds, and the number of measurements",
        ["Model", "One row: median", "95th percentile", "Measurements", "Batch, per row: median", "95th percentile", "Measurements"],
        models.Select(model => (Model: model, Cost: model.Model.Cost!)).Select(row => (object?[])
        [
            Name(row.Model.Name),
            Time(row.Cost.SingleRow.Median), Time(row.Cost.SingleRow.P95), Figures.Count(row.Cost.SingleRow.Measurements),
            Time(row.Cost.Batch.Median), Time(row.Cost.Batch.P95), Figures.Count(row.Cost.Batch.Measurements),
        ]));

    private static XElement? Time(double microseconds) => Table.NumberCell(microseconds, time => FormattableString.Invariant($"{time:N1}"));
}

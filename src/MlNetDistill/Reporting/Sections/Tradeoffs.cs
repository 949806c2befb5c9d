using System.Xml.Linq;
using MlNetDistill.Evaluation;

namespace MlNetDistill.Reporting;

/// <summary>Charts of quality against time and size.</summary>
internal static class Tradeoffs
{
    /// <summary>A chart for size and one for time; none if fewer than two models have both.</summary>
    public static IReadOnlyList<XElement> Create(DistillationReport report, IReadOnlyList<ComparedModel> models)
    {
        var hasLabels = report.Metrics.Student is not null;
        // Without labels, quality is agreement with the teacher, which agrees with itself on every row.
        List<(Interval Quality, ModelCost Cost)> costed =
        [
            .. from model in models
               let quality = hasLabels ? model.Quality?.Accuracy : model.Fidelity?.Agreement ?? new Estimate(1)
               where quality is not null && model.Model.Cost is { SingleRow.Median: > 0, ZipBytes: > 0 }
               select (new Interval(model, quality.Value), model.Model.Cost),
        ];
        if (costed.Count < 2)
            return [];
        var name = hasLabels ? "Accuracy" : "Agreement with the teacher";
        return
        [
            TradeoffChart.Draw(
                "summary-size", $"{name} against size", "size of the saved model (log scale)", Figures.Bytes,
                [.. costed.Select(c => (c.Quality, (double)c.Cost.ZipBytes))], LogScale.FromBytes),
            TradeoffChart.Draw(
                "summary-time", $"{name} against time", "median time of one row (log scale)", Figures.Microseconds,
                [.. costed.Select(c => (c.Quality, c.Cost.SingleRow.Median))], LogScale.FromMicroseconds),
        ];
    }
}

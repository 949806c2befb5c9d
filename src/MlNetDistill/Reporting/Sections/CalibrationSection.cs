using MlNetDistill.Evaluation;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>Calibration: whether the models are correct as often as their probabilities say.</summary>
internal static class CalibrationSection
{
    public static Section? Create(DistillationReport report)
    {
        var models = ComparedModel.From(report).Where(model => model.Quality is not null).ToList();
        return models.Count == 0 ? null : new(
            "calibration",
            "Calibration",
            Paragraph("On the dashed line, 80 % of the predictions made with a probability of 80 % are correct. Below the line, a model is overconfident."),
            Tag("div", Class("figures"), models.Select(model => ReliabilityChart.Draw($"calibration-{model.Kind}", model, model.Quality!))),
            Details("The bins as a table", models.Select(Bins)));
    }

    private static object Bins(ComparedModel model) => Table.Create(
        $"calibration-{model.Kind}-bins",
        $"{model.Name}: rows by the probability of the predicted class",
        ["Probability", "Rows", "Mean probability", "Accuracy"],
        model.Quality!.Reliability.Where(bin => bin.Rows > 0).Select(bin => (object?[])
        [
            $"{Figures.WithoutUnit(Figures.Percent(bin.Lower))} to {Figures.Percent(bin.Upper)}", Figures.Count(bin.Rows),
            Table.NumberCell(bin.MeanConfidence, Figures.Percent), Table.NumberCell(bin.Accuracy, Figures.Percent),
        ]));
}

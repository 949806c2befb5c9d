using System.Xml.Linq;
using MlNetDistill.Evaluation;
using MlNetDistill.Training;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>Learning curves: a chart for each named loss, and for the held-out rows.</summary>
internal static class CurvesSection
{
    private const string Total = "total";
    private const int MaximumRows = 40;

    public static Section? Create(IReadOnlyList<ComparedModel> compared)
    {
        List<ComparedModel> models = [.. compared.Where(model => model.Model.History.Count > 0)];
        if (models.Count == 0)
            return null;
        var stages = StageSpan.From(models.FirstOrDefault(model => model.Kind == "student")?.Model.History ?? []);
        return new(
            "curves",
            "Learning curves",
            Paragraph(
                "Each loss is its mean over the training rows of an epoch, before weighting; ", Tag("em", Total),
                " is the weighted sum. Losses of different methods are not comparable." +
                (stages.Count > 1 ? " Dashed lines separate the stages of the distilled student; their numbers are those of “Stages and anchors”." : "")),
            Svg.Legend(models.Select(model => (model.Kind, (object)Name(model.Name)))),
            Tag("div", Class("figures"), Charts(models, stages)),
            Details("The curves as tables", models.Select(Numbers)));
    }

    private static IEnumerable<XElement> Charts(IReadOnlyList<ComparedModel> models, IReadOnlyList<StageSpan> stages)
    {
        List<(string Name, List<Curve> Curves)> figures =
        [
            .. LossNames(models.SelectMany(model => model.Model.History))
                .Select(loss => (loss, Curves(models, epoch => epoch.Losses.TryGetValue(loss, out var value) ? value : null))),
            .. models.SelectMany(model => model.Model.History).Select(epoch => epoch.Validation?.Measure).OfType<string>().Distinct().Order()
                .Select(measure => ($"{measure} on held-out rows", Curves(models, epoch => epoch.Validation?.Measure == measure ? epoch.Validation.Quality : null))),
            ("loss on held-out rows", Curves(models, epoch => epoch.Validation?.Loss)),
        ];
        return figures.Where(figure => figure.Curves.Count > 0).Select((figure, index) => CurveChart.Draw($"curves-{index + 1}", figure.Name, figure.Curves, stages));
    }

    private static List<string> LossNames(IEnumerable<TrainingProgress> history) =>
        [.. history.SelectMany(epoch => epoch.Losses.Keys).Distinct().OrderBy(name => name != Total)];

    private static List<Curve> Curves(IReadOnlyList<ComparedModel> models, Func<TrainingProgress, double?> value) =>
    [
        .. models
            .Select(model => new Curve(model, [.. model.Model.History.Index()
                .Select(epoch => (Epoch: epoch.Index + 1, Value: value(epoch.Item)))
                .Where(point => point.Value is { } figure && double.IsFinite(figure))
                .Select(point => (point.Epoch, point.Value!.Value))], StageSpan.From(model.Model.History).Select(stage => stage.First).ToHashSet()))
            .Where(curve => curve.Points.Count > 0),
    ];

    private static XElement Numbers(ComparedModel model)
    {
        var history = model.Model.History;
        var names = LossNames(history);
        var measure = history.Select(epoch => epoch.Validation?.Measure).OfType<string>().FirstOrDefault() ?? "accuracy";
        // Epochs at even intervals, and the last.
        var interval = (history.Count + MaximumRows - 2) / (MaximumRows - 1);
        var shown = history.Index().Where(epoch => epoch.Index % interval == 0 || epoch.Index == history.Count - 1).ToList();
        return Table.Create(
            $"curves-{model.Kind}-table",
            $"{model.Name}: {(shown.Count < history.Count ? $"{shown.Count} of {Figures.Count(history.Count, "epoch")}" : "every epoch")}",
            ["Epoch", "Stage", .. names, $"Held-out {measure}", "Held-out loss", "Learning rate"],
            shown.Select(epoch => (object?[])
            [
                $"{epoch.Index + 1}", Table.TextCell(Name(epoch.Item.Stage)),
                .. names.Select(name => epoch.Item.Losses.TryGetValue(name, out var loss) ? Table.NumberCell(loss, Figures.Compact) : null),
                Table.NumberCell(epoch.Item.Validation?.Quality, Figures.Percent), Table.NumberCell(epoch.Item.Validation?.Loss, Figures.Number),
                Figures.Compact(epoch.Item.LearningRate),
            ]));
    }
}

using System.Xml.Linq;
using MlNetDistill.Core;
using MlNetDistill.Evaluation;
using MlNetDistill.Training;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>The stages of training with their times, and the decisions of the method.</summary>
internal static class TimelineSection
{
    public static Section? Create(IReadOnlyList<ComparedModel> models)
    {
        List<(ComparedModel Model, IReadOnlyList<StageSpan> Stages)> trained =
            [.. models.Where(model => model.Model.History.Count > 0).Select(model => (model, StageSpan.From(model.Model.History)))];
        List<ComparedModel> noted = [.. models.Where(model => model.Model.Notes.Count > 0)];
        return trained.Count + noted.Count == 0 ? null : new(
            "timeline",
            "Stages and anchors",
            Tag("div", Class("figures"), trained.Select(row => TimelineChart.Draw($"timeline-{row.Model.Kind}", row.Model, row.Stages))),
            trained.Count == 0 ? null : Stages(trained),
            noted.Select(Notes));
    }

    private static XElement Stages(IEnumerable<(ComparedModel Model, IReadOnlyList<StageSpan> Stages)> trained) => Table.Create(
        "timeline-table",
        "Stages of training; the name of a stage that learns from an anchor (a checkpoint of the teacher) says which",
        ["Stage", "Model", "Epochs", "Planned epochs", "Time", "Last loss", Best([.. trained.SelectMany(row => row.Model.Model.History).Select(epoch => epoch.Validation?.Measure).OfType<string>().Distinct()])],
        trained.SelectMany(row => row.Stages.Select(stage => (object?[])
        [
            Name(stage.Name), Table.TextCell(Name(row.Model.Name)), stage.Range, Figures.Count(stage.Epochs[^1].Epochs),
            NumberText.Duration(stage.Time),
            Table.NumberCell(LossOf(stage.Epochs[^1]), Figures.Compact),
            Table.NumberCell(stage.Epochs.Max(epoch => epoch.Validation?.Quality), Figures.Percent),
        ])));

    private static string Best(IReadOnlyList<string> measures) => measures switch
    {
        _ when measures.Contains("agreement") => "Best held-out accuracy, or agreement without labels",
        [] => "Best held-out accuracy",
        _ => $"Best held-out {string.Join(" or ", measures)}",
    };

    /// <summary>The weighted sum, or the only loss.</summary>
    private static double? LossOf(TrainingProgress epoch) =>
        epoch.Losses.TryGetValue("total", out var total) ? total : epoch.Losses.Count == 1 ? epoch.Losses.Single().Value : null;

    private static object[] Notes(ComparedModel model) =>
        [Tag("h3", "Decisions of the method: ", Name(model.Name)), Tag("ul", model.Model.Notes.Select(note => Tag("li", Name(note))))];
}

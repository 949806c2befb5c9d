using System.Xml.Linq;
using MlNetDistill.Core;

namespace MlNetDistill.Reporting;

/// <summary>The stages of a model's training: a bar over the epochs of each, with its time.</summary>
internal static class TimelineChart
{
    // A route may have many more stages.
    private const int MaximumStages = 20;

    private const double Left = 10;
    private const double Right = Svg.Width - 14;
    private const double RowHeight = 36;

    public static XElement Draw(string id, ComparedModel model, IReadOnlyList<StageSpan> stages)
    {
        var shown = stages.Take(MaximumStages).ToList();
        var bottom = 8 + (shown.Count * RowHeight);
        var svg = new Svg(id, Svg.Width, bottom + 42, $"Stages of {model.Name}", string.Join(" ", shown.Select(Describe)));
        var scale = Scale.FromValues([0, shown[^1].Last], 6, 1);
        svg.Axis(scale, X, bottom, Left, Right, "epoch");
        svg.Line("grid", Left, bottom, Right, bottom);
        foreach (var (index, stage) in shown.Index())
        {
            var y = 8 + (index * RowHeight);
            svg.Heading(Left, Right, y + 14, $"{index + 1} · {stage.Name}", NumberText.Duration(stage.Time));
            svg.Box($"bar {model.Kind}", X(stage.First - 1), y + 20, X(stage.Last) - X(stage.First - 1), 10);
        }

        var total = stages.Aggregate(TimeSpan.Zero, (sum, stage) => sum + stage.Time);
        return svg.Figure(Html.Name(model.Name), $": {NumberText.Duration(total)}");

        double X(double epoch) => Left + (scale.Position(epoch) * (Right - Left));
    }

    private static string Describe(StageSpan stage) => $"{stage.Name}: {(stage.Epochs.Count == 1 ? "epoch" : "epochs")} {stage.Range}, {NumberText.Duration(stage.Time)}.";
}

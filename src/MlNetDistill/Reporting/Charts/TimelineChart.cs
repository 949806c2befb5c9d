using System.Xml.Linq;
using MlNetDistill.Core;

namespace MlNetDistill.Reporting;

/// <summary>The stages of a model's training, each a bar over its epochs with the time it took.</summary>
internal static class TimelineChart
{
    /// <summary>Most stages that are drawn; a route may have many more.</summary>
    public const int Most = 20;

    private const double Left = 10;
    private const double Right = Svg.Width - 14;
    private const double RowHeight = 36;

    public static XElement Draw(string id, ComparedModel model, IReadOnlyList<StageSpan> stages)
    {
        var shown = stages.Take(Most).ToList();
        var bottom = 8 + (shown.Count * RowHeight);
        var svg = new Svg(id, Svg.Width, bottom + 42, $"Stages of {model.Name}", string.Join(" ", shown.Select(Describe)));
        var scale = Scale.FromValues([0, shown[^1].Last], 6, 1);
        foreach (var tick in scale.Ticks)
            svg.Tick(X(tick), bottom, scale.Text(tick));

        svg.Line("grid", Left, bottom, Right, bottom);
        svg.Text((Left + Right) / 2, bottom + 35, "epoch", "tick", "middle");
        foreach (var (at, stage) in shown.Index())
        {
            var (y, time) = (8 + (at * RowHeight), NumberText.Duration(stage.Time));
            var room = Right - Left - FittedText.MeasureWidth(time) - 12;
            svg.Text(Left, y + 14, FittedText.Fit(room, $"{at + 1} · {stage.Name}"));
            svg.Text(Right, y + 14, time, "muted", "end");
            svg.Box($"bar {model.Kind}", X(stage.First - 1), y + 20, X(stage.Last) - X(stage.First - 1), 10);
        }

        return svg.Figure(Html.Name(model.Name), $": {NumberText.Duration(Total(stages))}");

        double X(double epoch) => Left + (scale.Position(epoch) * (Right - Left));
    }

    public static TimeSpan Total(IReadOnlyList<StageSpan> stages) => stages.Aggregate(TimeSpan.Zero, (sum, stage) => sum + stage.Time);

    private static string Describe(StageSpan stage) => $"{stage.Name}: {(stage.Epochs.Count == 1 ? "epoch" : "epochs")} {stage.Range}, {NumberText.Duration(stage.Time)}.";
}

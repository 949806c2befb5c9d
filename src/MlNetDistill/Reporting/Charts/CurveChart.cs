using System.Xml.Linq;
using MlNetDistill.Evaluation;

namespace MlNetDistill.Reporting;

/// <summary>A figure by epoch, with a curve for each model that has it.</summary>
internal static class CurveChart
{
    private const double Top = 8;
    private const double TopOfStages = 24;
    private const double Bottom = 190;
    private const int Marks = 6;

    public static XElement Draw(string id, string name, IReadOnlyList<Curve> curves, IReadOnlyList<StageSpan> stages)
    {
        var epochs = curves.SelectMany(curve => curve.Points).Select(p => (double)p.Epoch).ToList();
        var svg = new Svg(id, Svg.Width, Bottom + 42, $"{name} by epoch", string.Join(" ", curves.Select(Describe)));
        var top = stages.Count > 1 ? TopOfStages : Top;
        // An axis needs at least two values.
        var across = Scale.FromValues(epochs.Append(epochs.Min() == epochs.Max() ? 0 : epochs.Min()), 6, 1);
        var plot = new Plot(svg, across, Scale.FromValues(curves.SelectMany(c => c.Points).Select(p => p.Value), 4), top, Bottom);
        plot.Frame("epoch");
        if (stages.Count > 1)
            DrawStages(svg, plot, stages, epochs.Min(), epochs.Max());
        foreach (var curve in curves)
            Draw(svg, plot, curve);
        return svg.Figure(Html.Name(name));
    }

    private static string Describe(Curve curve)
    {
        var (first, last) = (curve.Points[0], curve.Points[^1]);
        return first == last
            ? $"{curve.Model.Name}: {Figures.Compact(first.Value)} in epoch {first.Epoch}."
            : $"{curve.Model.Name}: from {Figures.Compact(first.Value)} in epoch {first.Epoch} to {Figures.Compact(last.Value)} in epoch {last.Epoch}.";
    }

    private static void DrawStages(Svg svg, Plot plot, IReadOnlyList<StageSpan> stages, double from, double to)
    {
        var endOfText = 0.0;
        foreach (var (index, stage) in stages.Index().Where(stage => stage.Item.Last >= from && stage.Item.First <= to))
        {
            // Between the last epoch of the previous stage and the first of this one.
            var x = Math.Max(Plot.Left, plot.X(stage.First - 0.5));
            svg.Line("stage", x, TopOfStages - 8, x, Bottom);
            var number = $"{index + 1}";
            if (x < endOfText)
                continue;
            svg.Text(x + 3, TopOfStages - 9, number, "stagenumber");
            endOfText = x + 6 + FittedText.MeasureWidth(number, 11);
        }
    }

    private static void Draw(Svg svg, Plot plot, Curve curve)
    {
        List<List<(double X, double Y)>> pieces = [];
        foreach (var (index, point) in curve.Points.Index())
        {
            // Stages may have different losses of the same name, for example with different anchors.
            if (index == 0 || point.Epoch != curve.Points[index - 1].Epoch + 1 || curve.Breaks.Contains(point.Epoch))
                pieces.Add([]);
            pieces[^1].Add((plot.X(point.Epoch), plot.Y(point.Value)));
        }

        svg.Path($"curve {curve.Model.Kind}", pieces);
        // The marks of each model are at other epochs, so that marks of curves that coincide do not hide each other.
        var interval = Math.Max(1, (curve.Points.Count + Marks - 1) / Marks);
        var first = interval * (curve.Model.Kind switch { "teacher" => 0, "alone" => 1, _ => 2 }) / 3;
        foreach (var (index, (x, y)) in pieces.SelectMany(piece => piece).Index())
        {
            if (index % interval == first || index == curve.Points.Count - 1)
                svg.Mark(curve.Model.Kind, x, y);
        }
    }
}

/// <summary>A model's figure by epoch of its whole training, never empty, and the epochs in which a stage begins.</summary>
internal sealed record Curve(ComparedModel Model, IReadOnlyList<(int Epoch, double Value)> Points, IReadOnlySet<int> Breaks);

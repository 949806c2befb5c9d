using System.Xml.Linq;
using MlNetDistill.Evaluation;

namespace MlNetDistill.Reporting;

/// <summary>The cumulative match curves of models: how often a row of the same identity is among the k nearest.</summary>
internal static class MatchChart
{
    private const double Top = 8;
    private const double Bottom = 210;
    private const int Marks = 6;

    public static XElement Draw(string id, IReadOnlyList<(ComparedModel Model, RetrievalQuality Quality)> curves)
    {
        var svg = new Svg(id, Svg.Width, Bottom + 42, "Cumulative match curve", string.Join(" ", curves.Select(curve => Describe(curve.Model, curve.Quality.MatchCurve))));
        var ranks = curves.Max(curve => curve.Quality.MatchCurve.Count);
        var plot = new Plot(svg, Scale.FromValues([1, Math.Max(2, ranks)], 6, 1), Scale.FromShares(curves.SelectMany(curve => curve.Quality.MatchCurve), 5), Top, Bottom);
        plot.Frame("rank k");
        foreach (var (index, (model, quality)) in curves.Index())
        {
            List<(double X, double Y)> points = [.. quality.MatchCurve.Index().Select(point => (plot.X(point.Index + 1), plot.Y(point.Item)))];
            svg.Path($"curve {model.Kind}", [points]);
            var interval = Math.Max(1, points.Count / Marks);
            // Marks of curves that coincide do not hide each other.
            foreach (var (x, y) in points.Where((_, at) => at % interval == (index * interval / 2) || points.Count == 1))
                svg.Mark(model.Kind, x, y);
        }

        return svg.Figure("A row of the same identity among the k nearest");
    }

    private static string Describe(ComparedModel model, IReadOnlyList<double> curve) =>
        $"{model.Name}: {Figures.Percent(curve[0])} at rank 1, {Figures.Percent(curve[^1])} at rank {curve.Count}.";
}

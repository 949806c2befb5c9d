using System.Xml.Linq;

namespace MlNetDistill.Reporting;

/// <summary>Quality of each model (vertical) against its cost (horizontal).</summary>
internal static class TradeoffChart
{
    private const double Top = 8;
    private const double Bottom = 226;

    public static XElement Draw(
        string id, string caption, string axis, Func<double, string> format, IReadOnlyList<(Interval Quality, double Cost)> models, Func<IEnumerable<double>, IScale> across)
    {
        var description = string.Join(" ", models.Select(model => $"{model.Quality.Describe()}, {format(model.Cost)}."));
        var svg = new Svg(id, Svg.Width, Bottom + 42, caption, description);
        var plot = new Plot(svg, across(models.Select(model => model.Cost)), Scale.FromShares(models.SelectMany(model => model.Quality.Ends), 5), Top, Bottom);
        plot.Frame(axis);
        foreach (var (quality, cost) in models)
        {
            var (kind, x) = (quality.Model.Kind, plot.X(cost));
            if (quality.Value is { Lower: { } lower, Upper: { } upper })
                svg.Line($"whisker {kind}", x, plot.Y(lower), x, plot.Y(upper));
        }

        // Marks last, so that no line runs over one.
        foreach (var (quality, cost) in models)
            svg.Mark(quality.Model.Kind, plot.X(cost), plot.Y(quality.Value));
        return svg.Figure(caption);
    }
}

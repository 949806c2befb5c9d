using System.Xml.Linq;
using MlNetDistill.Evaluation;

namespace MlNetDistill.Reporting;

/// <summary>A share with its confidence interval, a row for each model.</summary>
internal static class IntervalChart
{
    private const double Left = 12;
    private const double Right = Svg.Width - 14;
    private const double RowHeight = 34;

    public static XElement Draw(string id, string caption, string axis, IReadOnlyList<Interval> intervals)
    {
        var bottom = 6 + (intervals.Count * RowHeight);
        var svg = new Svg(id, Svg.Width, bottom + 42, caption, string.Join(" ", intervals.Select(interval => $"{interval.Describe()}.")));
        var scale = Scale.FromShares(intervals.SelectMany(interval => interval.Ends), 5);
        foreach (var tick in scale.Ticks)
            svg.Line("grid", X(tick), 0, X(tick), bottom);
        svg.Axis(scale, X, bottom, Left, Right, axis);
        svg.Line("grid", Left, bottom, Right, bottom);
        foreach (var (index, interval) in intervals.Index())
        {
            var y = index * RowHeight;
            svg.Heading(Left, Right, y + 14, interval.Model.Name, Figures.WithInterval(interval.Value, Figures.Percent), "label", "label muted");
            Draw(svg, interval, X, y + 25);
        }

        return svg.Figure(caption);

        double X(double share) => Left + 14 + (scale.Position(share) * (Right - Left - 28));
    }

    private static void Draw(Svg svg, Interval interval, Func<double, double> x, double y)
    {
        var (model, value) = interval;
        if (value is { Lower: { } lower, Upper: { } upper })
        {
            svg.Line($"whisker {model.Kind}", x(lower), y, x(upper), y);
            svg.Line($"whisker {model.Kind}", x(lower), y - 4, x(lower), y + 4);
            svg.Line($"whisker {model.Kind}", x(upper), y - 4, x(upper), y + 4);
        }

        svg.Mark(model.Kind, x(value), y);
    }
}

/// <summary>A share measured of a model, with its confidence interval where it has one.</summary>
internal sealed record Interval(ComparedModel Model, Estimate Value)
{
    public IEnumerable<double> Ends => [Value.Lower ?? Value.Value, Value.Value, Value.Upper ?? Value.Value];

    public string Describe() => $"{Model.Name}: {Figures.WithInterval(Value, Figures.Percent)}";
}

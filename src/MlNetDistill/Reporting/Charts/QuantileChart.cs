using System.Xml.Linq;
using MlNetDistill.Evaluation;

namespace MlNetDistill.Reporting;

/// <summary>The quantiles of one number on an axis: a line over the outer ones, a bar over the inner ones, a mark at the median; a dashed line at a value to compare with.</summary>
internal static class QuantileChart
{
    private const double Left = 12;
    private const double Right = Svg.Width - 14;
    private const double Middle = 36;
    private const double Bottom = 54;

    /// <param name="id">Id of the picture.</param>
    /// <param name="caption">Its caption.</param>
    /// <param name="axis">Name of the axis.</param>
    /// <param name="quantiles">Five quantiles in ascending order, the median in the middle.</param>
    /// <param name="reference">A value to compare with, and its name.</param>
    public static XElement Draw(string id, string caption, string axis, IReadOnlyList<RescalingQuantile> quantiles, (double Value, string Name) reference)
    {
        var svg = new Svg(id, Svg.Width, Bottom + 42, caption, string.Join(" ", quantiles.Select(quantile => $"{quantile}.")));
        double[] values = [.. quantiles.Select(quantile => quantile.Value)];
        var scale = Scale.FromValues([.. values, reference.Value], 5);
        foreach (var tick in scale.Ticks)
            svg.Line("grid", X(tick), 20, X(tick), Bottom);
        svg.Axis(scale, X, Bottom, Left, Right, axis);
        svg.Line("grid", Left, Bottom, Right, Bottom);
        svg.Line("ideal", X(reference.Value), 20, X(reference.Value), Bottom);
        var half = FittedText.MeasureWidth(reference.Name) / 2;
        svg.Text(Math.Clamp(X(reference.Value), half, Svg.Width - half), 15, reference.Name, "tick", "middle");
        svg.Line("whisker student", X(values[0]), Middle, X(values[^1]), Middle);
        foreach (var end in new[] { values[0], values[^1] })
            svg.Line("whisker student", X(end), Middle - 4, X(end), Middle + 4);
        svg.Box("bar student", X(values[1]), Middle - 5, X(values[3]) - X(values[1]), 10, 0.5);
        svg.Mark("student", X(values[2]), Middle);
        return svg.Figure(caption);

        double X(double value) => Left + 14 + (scale.Position(value) * (Right - Left - 28));
    }
}

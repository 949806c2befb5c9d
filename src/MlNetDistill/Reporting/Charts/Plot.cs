namespace MlNetDistill.Reporting;

/// <summary>The part of a picture that two axes span.</summary>
internal sealed class Plot(Svg svg, IScale across, IScale up, double top, double bottom)
{
    public const double Left = 54;
    public const double Right = Svg.Width - 14;

    public double X(double value) => Left + (across.Position(value) * (Right - Left));

    public double Y(double value) => bottom - (up.Position(value) * (bottom - top));

    /// <summary>Grid, ticks and the name of the axis across.</summary>
    public void Frame(string acrossName)
    {
        foreach (var tick in up.Ticks)
        {
            svg.Line("grid", Left, Y(tick), Right, Y(tick));
            svg.Text(Left - 7, Y(tick) + 4, up.Text(tick), "tick", "end");
        }

        foreach (var tick in across.Ticks)
            svg.Tick(X(tick), bottom, across.Text(tick));

        svg.Text((Left + Right) / 2, bottom + 35, acrossName, "tick", "middle");
    }
}

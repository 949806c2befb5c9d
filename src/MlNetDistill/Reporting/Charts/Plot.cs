namespace MlNetDistill.Reporting;

/// <summary>The area between two axes.</summary>
internal sealed class Plot(Svg svg, IScale across, IScale up, double top, double bottom)
{
    public const double Left = 54;
    public const double Right = Svg.Width - 14;

    public double X(double value) => Left + (across.Position(value) * (Right - Left));

    public double Y(double value) => bottom - (up.Position(value) * (bottom - top));

    /// <summary>Draws grid, ticks and the name of the horizontal axis.</summary>
    public void Frame(string acrossName)
    {
        foreach (var tick in up.Ticks)
        {
            svg.Line("grid", Left, Y(tick), Right, Y(tick));
            svg.Text(Left - 7, Y(tick) + 4, up.Text(tick), "tick", "end");
        }

        svg.Axis(across, X, bottom, Left, Right, acrossName);
    }
}

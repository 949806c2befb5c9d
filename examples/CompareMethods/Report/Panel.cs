using System.Text;
using CompareMethods.Training;
using static System.FormattableString;

namespace CompareMethods.Report;

/// <summary>One measure of the chart: an axis, a dot with its spread for each row, and the figures beside them.</summary>
/// <param name="Label">The axis' label, with its unit.</param>
/// <param name="LabelsLeft">Where the labels of its lines may begin.</param>
/// <param name="Left">Where the axis begins.</param>
/// <param name="Right">Where it ends.</param>
/// <param name="FiguresRight">Where the figures end.</param>
/// <param name="Measure">The measure of a row.</param>
/// <param name="MeasureOfRun">The measure of a single run.</param>
/// <param name="Teacher">The measure of the teacher, or null if it has none.</param>
internal sealed record Panel(
    string Label, int LabelsLeft, int Left, int Right, int FiguresRight, Func<Outcome, Spread> Measure, Func<Run, double> MeasureOfRun, double? Teacher)
{
    private double _low;
    private double _high;
    private double _step;

    public void Draw(StringBuilder svg, IReadOnlyList<Outcome> rows, IReadOnlyList<int> y, Outcome alone, int top, int bottom)
    {
        Scale([.. rows, alone]);
        Axis(svg, top, bottom);
        Reference(svg, alone, top, bottom);
        foreach (var (row, center) in rows.Zip(y))
            Row(svg, row, center);
    }

    private double X(double value) => Left + ((value - _low) / (_high - _low) * (Right - Left));

    private void Scale(IReadOnlyList<Outcome> shown)
    {
        List<double> values = [.. shown.SelectMany(o => o.Runs).Select(MeasureOfRun), .. Teacher is { } own ? [own] : Array.Empty<double>()];
        values.AddRange(shown.Select(Measure).Where(s => !double.IsNaN(s.Deviation)).SelectMany(s => new[] { s.Mean - s.Deviation, s.Mean + s.Deviation }));
        var (low, high) = (values.Min(), values.Max());
        var rough = Math.Max(high - low, 0.1) / 5;
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        _step = new[] { 1.0, 2, 5, 10 }.First(step => step * power >= rough) * power;
        // The axis ends on ticks, with room for a dot at either end; the least room is a fifth of a step.
        _low = Math.Floor((low - (_step / 5)) / _step) * _step;
        _high = Math.Min(Math.Ceiling((high + (_step / 5)) / _step) * _step, 100);
    }

    private void Axis(StringBuilder svg, int top, int bottom)
    {
        var format = _step >= 1 ? "0" : _step >= 0.1 ? "0.0" : "0.00";
        for (var i = 0; i <= Math.Round((_high - _low) / _step); i++)
        {
            var x = X(_low + (i * _step));
            Line(svg, "grid", x, top, x, bottom);
            Chart.Text(svg, x, bottom + 18, "muted", (_low + (i * _step)).ToString(format), "middle");
        }

        Chart.Text(svg, (Left + Right) / 2.0, bottom + 38, "", Label, "middle");
    }

    /// <summary>The lines to compare with; their labels are in two rows, so that they do not overlap.</summary>
    private void Reference(StringBuilder svg, Outcome alone, int top, int bottom)
    {
        var own = Measure(alone);
        if (!double.IsNaN(own.Deviation))
        {
            var (from, to) = (X(own.Mean - own.Deviation), X(own.Mean + own.Deviation));
            Chart.Text(svg, FiguresRight, top - 10, "muted", "mean ± sd", "end");
            svg.AppendLine(Invariant($"""<rect class="band" x="{from:0.0}" y="{top}" width="{to - from:0.0}" height="{bottom - top}"/>"""));
        }

        Reference(svg, "alone", "muted", own.Mean, $"student alone {own.Mean:0.00}", top - 10, bottom);
        if (Teacher is { } teacher)
            Reference(svg, "teacher", "teacherText", teacher, $"teacher {teacher:0.00}", top - 28, bottom);
        else
            Chart.Text(svg, Left, top - 28, "teacherText", "the teacher itself: 100");
    }

    private void Reference(StringBuilder svg, string kind, string textKind, double value, string label, int y, int bottom)
    {
        var x = X(value);
        Line(svg, kind, x, y + 4, x, bottom);
        // To the left of its line, where it does not overlap the line of a stronger teacher; to the right if there is no room.
        const int Room = 140;
        var toTheLeft = x - Room >= LabelsLeft;
        Chart.Text(svg, x + (toTheLeft ? 2 : -2), y, textKind, label, toTheLeft ? "end" : "start");
    }

    private void Row(StringBuilder svg, Outcome row, int y)
    {
        var measure = Measure(row);
        if (!double.IsNaN(measure.Deviation))
        {
            var (from, to) = (X(measure.Mean - measure.Deviation), X(measure.Mean + measure.Deviation));
            Line(svg, "spread", from, y, to, y);
            Line(svg, "spread", from, y - 5, from, y + 5);
            Line(svg, "spread", to, y - 5, to, y + 5);
            foreach (var run in row.Runs)
                svg.AppendLine(Invariant($"""<circle class="seed" cx="{X(MeasureOfRun(run)):0.0}" cy="{y + 11}" r="2.5"/>"""));
        }

        svg.AppendLine(Invariant($"""<circle class="{(row.IsLonger ? "longer" : "mean")}" cx="{X(measure.Mean):0.0}" cy="{y}" r="5"/>"""));
        Chart.Text(svg, FiguresRight, y + 5, "figure", measure.ToString("0.00"), "end");
    }

    private static void Line(StringBuilder svg, string kind, double x1, double y1, double x2, double y2) =>
        svg.AppendLine(Invariant($"""<line class="{kind}" x1="{x1:0.0}" y1="{y1:0.0}" x2="{x2:0.0}" y2="{y2:0.0}"/>"""));
}

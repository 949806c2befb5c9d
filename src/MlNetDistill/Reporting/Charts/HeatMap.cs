using System.Globalization;
using System.Xml.Linq;
using MlNetDistill.Evaluation;

namespace MlNetDistill.Reporting;

/// <summary>Rows by the teacher's prediction, down, and the student's, across.</summary>
internal static class HeatMap
{
    /// <summary>Largest number of classes for which every cell is readable.</summary>
    public const int MaximumClasses = 30;

    /// <summary>A wider picture is too small to read on paper.</summary>
    private const double MaximumWidth = 900;

    private const double MaximumNameWidth = 132;
    private const double CellWithoutCount = 20;
    private const double Margin = 24;
    private const double LongestAxisName = 132;

    public static XElement Draw(string id, DistillationMetrics metrics)
    {
        var names = metrics.Classes;
        var room = Math.Min(MaximumNameWidth, names.Max(name => FittedText.MeasureWidth(name))) + 10;
        var isCounted = Margin + room + (names.Count * CellWithCount(metrics)) <= MaximumWidth;
        var cell = isCounted ? CellWithCount(metrics) : CellWithoutCount;
        var (left, top) = (Margin + room, Margin + room);
        var (right, bottom) = (left + (names.Count * cell), top + (names.Count * cell));
        // With two classes, the axis names are longer than the axes.
        var foot = Math.Max(bottom, LongestAxisName);
        var svg = new Svg(id, Math.Max(Svg.Width, right + 8), foot + 8, "Rows by the predictions of teacher and student", Describe(metrics));
        svg.Text(left, 16, "student predicts", "tick");
        svg.Text(16, foot, "teacher predicts", "tick", upwards: true);
        foreach (var (index, name) in names.Index())
        {
            var fitted = FittedText.Fit(room - 8, name);
            svg.Text(left - 7, top + ((index + 0.5) * cell) + 4, fitted, anchor: "end");
            svg.Text(left + ((index + 0.5) * cell) + 4, top - 7, fitted, upwards: true);
        }

        Cells(svg, metrics, cell, left, top, isCounted);
        svg.Box("frame", left, top, right - left, bottom - top);
        return svg.Root;
    }

    private static double CellWithCount(DistillationMetrics metrics) =>
        Math.Max(26, 10 + (7.5 * metrics.Matrix.Select(cell => cell.Rows).DefaultIfEmpty().Max().ToString(CultureInfo.InvariantCulture).Length));

    private static void Cells(Svg svg, DistillationMetrics metrics, double size, double left, double top, bool isCounted)
    {
        foreach (var (teacher, student, rows) in metrics.Matrix)
        {
            var (x, y) = (left + (student * size), top + (teacher * size));
            // The square root makes a disagreement of one in a hundred visible; at most half dark, so that the count stays readable.
            var shade = 0.1 + (0.4 * Math.Sqrt((double)rows / metrics.PerClass[teacher].TeacherPredicts));
            svg.Box(teacher == student ? "cell same" : "cell other", x, y, size, size, shade);
            if (isCounted)
                svg.Text(x + (size / 2), y + (size / 2) + 4, rows.ToString(CultureInfo.InvariantCulture), "count", "middle");
        }
    }

    private static string Describe(DistillationMetrics metrics)
    {
        var same = metrics.Matrix.Where(cell => cell.Teacher == cell.Student).Sum(cell => cell.Rows);
        return $"{metrics.Classes.Count} by {metrics.Classes.Count} classes. Both predict the same class for {Figures.Count(same)} of " +
            $"{Figures.Count(metrics.Rows)} rows; the most frequent disagreements are in the table that follows.";
    }
}

using System.Globalization;
using System.Xml.Linq;
using MlNetDistill.Evaluation;

namespace MlNetDistill.Reporting;

/// <summary>Rows by the teacher's prediction, down, and the student's, across.</summary>
internal static class HeatMap
{
    /// <summary>Most classes of which every pair can be read.</summary>
    public const int Most = 30;

    /// <summary>What is wider than this is drawn so small on paper that nobody can read it.</summary>
    private const double Widest = 900;

    private const double MostRoom = 132;
    private const double CellWithoutCount = 20;
    private const double Margin = 24;
    private const double LongestAxisName = 132;

    public static XElement Draw(string id, DistillationMetrics metrics)
    {
        var names = metrics.Classes;
        var room = Math.Min(MostRoom, names.Max(name => FittedText.MeasureWidth(name))) + 10;
        var isCounted = Margin + room + (names.Count * CellWithCount(metrics)) <= Widest;
        var cell = isCounted ? CellWithCount(metrics) : CellWithoutCount;
        var (left, top) = (Margin + room, Margin + room);
        var (right, bottom) = (left + (names.Count * cell), top + (names.Count * cell));
        // Of two classes the names of the axes are longer than the axes.
        var foot = Math.Max(bottom, LongestAxisName);
        var svg = new Svg(id, Math.Max(Svg.Width, right + 8), foot + 8, "Rows by the predictions of teacher and student", Describe(metrics));
        svg.Text(left, 16, "student predicts", "tick");
        svg.Text(16, foot, "teacher predicts", "tick", upwards: true);
        foreach (var (at, name) in names.Index())
        {
            var fitted = FittedText.Fit(room - 8, name);
            svg.Text(left - 7, top + ((at + 0.5) * cell) + 4, fitted, anchor: "end");
            svg.Text(left + ((at + 0.5) * cell) + 4, top - 7, fitted, upwards: true);
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
            // The root, so that a disagreement of one in a hundred is still seen; never so dark that the count on it is not.
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

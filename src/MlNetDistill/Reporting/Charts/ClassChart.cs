using System.Xml.Linq;
using MlNetDistill.Evaluation;

namespace MlNetDistill.Reporting;

/// <summary>The teacher's and the student's accuracy on some classes, one below the other.</summary>
internal static class ClassChart
{
    private const double Left = 12;
    private const double Right = Svg.Width - 14;
    private const double RowHeight = 36;

    public static XElement Draw(string id, string caption, IReadOnlyList<ClassFidelity> classes)
    {
        var bottom = 6 + (classes.Count * RowHeight);
        var svg = new Svg(id, Svg.Width, bottom + 42, caption, string.Join(" ", classes.Select(Describe)));
        var scale = Scale.FromShares([.. classes.SelectMany(c => new[] { c.TeacherAccuracy!.Value, c.StudentAccuracy!.Value }), 1], 5);
        foreach (var tick in scale.Ticks)
            svg.Tick(X(tick), bottom, scale.Text(tick));

        svg.Line("grid", Left, bottom, Right, bottom);
        svg.Text((Left + Right) / 2, bottom + 35, "share of the class with a correct prediction", "tick", "middle");
        foreach (var (at, known) in classes.Index())
        {
            svg.Line("grid", Left, 6 + (at * RowHeight) + 25, Right, 6 + (at * RowHeight) + 25);
            Row(svg, known, 6 + (at * RowHeight), X(known.TeacherAccuracy!.Value), X(known.StudentAccuracy!.Value));
        }

        return svg.Figure(caption);

        double X(double accuracy) => Left + 6 + (scale.Position(accuracy) * (Right - Left - 12));
    }

    private static void Row(Svg svg, ClassFidelity known, double y, double teacher, double student)
    {
        var change = $"{Figures.Change(known.AccuracyChange!.Value)} points";
        svg.Text(Left, y + 14, FittedText.Fit(Right - Left - FittedText.MeasureWidth(change) - 12, known.Class));
        svg.Text(Right, y + 14, change, known.AccuracyChange < 0 ? "worse" : "better", "end");
        svg.Line(known.AccuracyChange < 0 ? "span lost" : "span gained", teacher, y + 25, student, y + 25);
        svg.Mark("teacher", teacher, y + 25);
        svg.Mark("student", student, y + 25);
    }

    private static string Describe(ClassFidelity known) =>
        $"{known.Class}: teacher {Figures.Percent(known.TeacherAccuracy!.Value)}, student {Figures.Percent(known.StudentAccuracy!.Value)}, of " +
            $"{Figures.Count(known.Rows)} rows.";
}

using System.Xml.Linq;
using MlNetDistill.Evaluation;

namespace MlNetDistill.Reporting;

/// <summary>Accuracy of teacher and student on some classes, a row for each class.</summary>
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
        svg.Axis(scale, X, bottom, Left, Right, "share of the class with a correct prediction");
        svg.Line("grid", Left, bottom, Right, bottom);
        foreach (var (index, c) in classes.Index())
            Row(svg, c, 6 + (index * RowHeight), X(c.TeacherAccuracy!.Value), X(c.StudentAccuracy!.Value));

        return svg.Figure(caption);

        double X(double accuracy) => Left + 6 + (scale.Position(accuracy) * (Right - Left - 12));
    }

    private static void Row(Svg svg, ClassFidelity c, double y, double teacher, double student)
    {
        var isWorse = c.AccuracyChange < 0;
        svg.Line("grid", Left, y + 25, Right, y + 25);
        svg.Heading(Left, Right, y + 14, c.Class, $"{Figures.Change(c.AccuracyChange!.Value)} points", figureKind: isWorse ? "worse" : "better");
        svg.Line(isWorse ? "span lost" : "span gained", teacher, y + 25, student, y + 25);
        svg.Mark("teacher", teacher, y + 25);
        svg.Mark("student", student, y + 25);
    }

    private static string Describe(ClassFidelity c) =>
        $"{c.Class}: teacher {Figures.Percent(c.TeacherAccuracy!.Value)}, student {Figures.Percent(c.StudentAccuracy!.Value)}, of {Figures.Count(c.Rows)} rows.";
}

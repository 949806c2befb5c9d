using System.Xml.Linq;
using MlNetDistill.Evaluation;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>In which classes the student is worse than its teacher, and in which better.</summary>
internal static class ClassesSection
{
    private const int MostInChart = 8;
    private const int MostInTable = 30;
    private const int MostInDetails = 200;

    public static Section Create(DistillationReport report)
    {
        var labelled = report.Metrics.Student is not null;
        List<ClassFidelity> classes =
            [.. report.Metrics.PerClass.OrderBy(known => (labelled ? known.AccuracyChange : known.Agreement) ?? double.PositiveInfinity)];
        return new(
            "classes",
            "Class by class",
            labelled ? Charts([.. classes.Where(known => known.AccuracyChange is not null)]) : null,
            classes.Count <= MostInTable
                ? Rows("classes-table", labelled ? "All classes, largest loss first" : "All classes, lowest agreement first", classes, labelled)
                : Extremes(classes, labelled));
    }

    private static object?[] Charts(IReadOnlyList<ClassFidelity> classes)
    {
        List<ClassFidelity> lost = [.. classes.Where(known => known.AccuracyChange < 0).Take(MostInChart)];
        List<ClassFidelity> gained = [.. classes.Reverse().Where(known => known.AccuracyChange > 0).Take(MostInChart)];
        return
        [
            Paragraph(
                $"{Figures.Count(classes.Count, "class has", "classes have")} labelled rows. The student is less accurate than its teacher in " +
                $"{Classes(change => change < 0)} of them, as accurate in {Classes(change => change == 0)}, and more accurate in {Classes(change => change > 0)}. " +
                "Single classes have no confidence intervals: in a class of few rows, a small change may be chance."),
            lost.Count + gained.Count == 0
                ? null
                : Tag("ul", Class("legend"), Tag("li", Svg.Swatch("teacher"), " teacher"), Tag("li", Svg.Swatch("student"), " distilled student")),
            Tag(
                "div",
                Class("figures"),
                lost.Count > 0 ? ClassChart.Draw("classes-lost", "Largest losses of the student", lost) : null,
                gained.Count > 0 ? ClassChart.Draw("classes-gained", "Largest gains of the student", gained) : null),
        ];

        string Classes(Func<double?, bool> changed) => Figures.Count(classes.Count(known => changed(known.AccuracyChange)));
    }

    private static object?[] Extremes(IReadOnlyList<ClassFidelity> classes, bool labelled)
    {
        var known = classes.Where(c => (labelled ? c.AccuracyChange : c.Agreement) is not null).ToList();
        return
        [
            Rows("classes-first", labelled ? "The ten largest losses" : "The ten classes with the lowest agreement", known.Take(10), labelled),
            Rows("classes-last", labelled ? "The ten largest gains" : "The ten classes with the highest agreement", known.AsEnumerable().Reverse().Take(10), labelled),
            classes.Count <= MostInDetails
                ? Details($"All {classes.Count} classes", Rows("classes-all", "All classes", classes, labelled))
                : Paragraph(Class("note"), $"All {Figures.Count(classes.Count)} classes are in ", Tag("code", "report.json"), "."),
        ];
    }

    private static XElement Rows(string id, string caption, IEnumerable<ClassFidelity> classes, bool labelled) => Table.Create(
        id,
        caption,
        labelled
            ? ["Class", "Rows", "Teacher", "Student", "Change in points", "Lost rows", "Gained rows", "Agreement"]
            : ["Class", "Rows with this teacher prediction", "Agreement"],
        classes.Select(known => (object?[])(labelled
            ? [
                Name(known.Class), Figures.Count(known.Rows),
                Table.NumberCell(known.TeacherAccuracy, Figures.Percent), Table.NumberCell(known.StudentAccuracy, Figures.Percent),
                Table.NumberCell(known.AccuracyChange, Figures.Change), Figures.Count(known.Lost), Figures.Count(known.Gained),
                Table.NumberCell(known.Agreement, Figures.Percent),
            ]
            : [Name(known.Class), Figures.Count(known.TeacherPredicts), Table.NumberCell(known.Agreement, Figures.Percent)])));
}

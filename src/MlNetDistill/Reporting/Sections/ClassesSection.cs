using System.Xml.Linq;
using MlNetDistill.Evaluation;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>The classes in which the student is worse than its teacher, and those in which it is better.</summary>
internal static class ClassesSection
{
    private const int MaximumInChart = 8;
    private const int MaximumInTable = 30;
    private const int MaximumInDetails = 200;

    public static Section Create(DistillationReport report)
    {
        var labelled = report.Metrics.Student is not null;
        List<ClassFidelity> classes =
            [.. report.Metrics.PerClass.OrderBy(c => (labelled ? c.AccuracyChange : c.Agreement) ?? double.PositiveInfinity)];
        return new(
            "classes",
            "Class by class",
            labelled ? Charts([.. classes.Where(c => c.AccuracyChange is not null)]) : null,
            classes.Count <= MaximumInTable
                ? Rows("classes-table", labelled ? "All classes, largest loss first" : "All classes, lowest agreement first", classes, labelled)
                : Extremes(classes, labelled));
    }

    private static object?[] Charts(IReadOnlyList<ClassFidelity> classes)
    {
        List<ClassFidelity> lost = [.. classes.Where(c => c.AccuracyChange < 0).Take(MaximumInChart)];
        List<ClassFidelity> gained = [.. classes.Reverse().Where(c => c.AccuracyChange > 0).Take(MaximumInChart)];
        return
        [
            Paragraph(
                $"{Figures.Count(classes.Count, "class has", "classes have")} labelled rows. The student is less accurate than its teacher in " +
                $"{Classes(change => change < 0)} of them, as accurate in {Classes(change => change == 0)}, and more accurate in {Classes(change => change > 0)}. " +
                "Single classes have no confidence intervals: in a class of few rows, a small change may be chance."),
            lost.Count + gained.Count == 0
                ? null
                : Svg.Legend([("teacher", "teacher"), ("student", "distilled student")]),
            Tag(
                "div",
                Class("figures"),
                lost.Count > 0 ? ClassChart.Draw("classes-lost", "Largest losses of the student", lost) : null,
                gained.Count > 0 ? ClassChart.Draw("classes-gained", "Largest gains of the student", gained) : null),
        ];

        string Classes(Func<double?, bool> changed) => Figures.Count(classes.Count(c => changed(c.AccuracyChange)));
    }

    private static object?[] Extremes(IReadOnlyList<ClassFidelity> classes, bool labelled)
    {
        var measured = classes.Where(c => (labelled ? c.AccuracyChange : c.Agreement) is not null).ToList();
        return
        [
            Rows("classes-first", labelled ? "The ten largest losses" : "The ten classes with the lowest agreement", measured.Take(10), labelled),
            Rows("classes-last", labelled ? "The ten largest gains" : "The ten classes with the highest agreement", measured.AsEnumerable().Reverse().Take(10), labelled),
            classes.Count <= MaximumInDetails
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
        classes.Select(c => (object?[])(labelled
            ? [
                Name(c.Class), Figures.Count(c.Rows),
                Table.NumberCell(c.TeacherAccuracy, Figures.Percent), Table.NumberCell(c.StudentAccuracy, Figures.Percent),
                Table.NumberCell(c.AccuracyChange, Figures.Change), Figures.Count(c.Lost), Figures.Count(c.Gained),
                Table.NumberCell(c.Agreement, Figures.Percent),
            ]
            : [Name(c.Class), Figures.Count(c.TeacherPredicts), Table.NumberCell(c.Agreement, Figures.Percent)])));
}

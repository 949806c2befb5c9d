using System.Xml.Linq;
using MlNetDistill.Evaluation;

namespace MlNetDistill.Reporting;

/// <summary>What a change from teacher to student means for the answers: who is right on how many rows, and which classes lose most.</summary>
internal static class Answers
{
    private const int MostClasses = 5;

    public static IReadOnlyList<XElement> Create(DistillationMetrics metrics) =>
        metrics.Student is null ? [LeastAgreement(metrics)] : [Outcomes(metrics), .. LargestLosses(metrics)];

    private static XElement Outcomes(DistillationMetrics metrics)
    {
        var lost = metrics.PerClass.Sum(known => known.Lost);
        var gained = metrics.PerClass.Sum(known => known.Gained);
        var bothRight = metrics.PerClass.Sum(known => known.TeacherCorrect) - lost;
        return BarChart.Draw("summary-answers", "Who is correct on how many rows",
        [
            Rows("both models", "both", bothRight),
            Rows("only the teacher", "lost", lost),
            Rows("only the student", "gained", gained),
            Rows("neither model", "neither", metrics.LabelledRows - bothRight - lost - gained),
        ]);

        Bar Rows(string name, string kind, long rows) =>
            new(name, kind, rows, $"{Figures.Count(rows, "row")}, {Figures.Percent((double)rows / metrics.LabelledRows)}");
    }

    private static IEnumerable<XElement> LargestLosses(DistillationMetrics metrics)
    {
        List<ClassFidelity> lost = [.. metrics.PerClass.Where(known => known.AccuracyChange < 0).OrderBy(known => known.AccuracyChange).Take(MostClasses)];
        if (lost.Count > 0)
            yield return ClassChart.Draw("summary-classes", "Classes that lose most accuracy", lost);
    }

    private static XElement LeastAgreement(DistillationMetrics metrics) => BarChart.Draw(
        "summary-classes",
        "Agreement by the teacher's class, lowest first",
        [
            .. metrics.PerClass.Where(known => known.Agreement is not null).OrderBy(known => known.Agreement).Take(MostClasses)
                .Select(known => new Bar(
                    known.Class, "student", known.Agreement!.Value, $"{Figures.Percent(known.Agreement.Value)} of {Figures.Count(known.TeacherPredicts, "row")}")),
        ],
        most: 1);
}

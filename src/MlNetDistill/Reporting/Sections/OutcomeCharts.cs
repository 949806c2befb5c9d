using System.Xml.Linq;
using MlNetDistill.Evaluation;

namespace MlNetDistill.Reporting;

/// <summary>What replacing the teacher by the student changes: which model is correct on how many rows, and which classes lose most.</summary>
internal static class OutcomeCharts
{
    private const int MaximumClasses = 5;

    public static IReadOnlyList<XElement> Create(DistillationMetrics metrics) =>
        metrics.Student is null ? [LowestAgreement(metrics)] : [Outcomes(metrics), .. WorstClasses(metrics)];

    private static XElement Outcomes(DistillationMetrics metrics)
    {
        var lost = metrics.PerClass.Sum(c => c.Lost);
        var gained = metrics.PerClass.Sum(c => c.Gained);
        var bothRight = metrics.PerClass.Sum(c => c.TeacherCorrect) - lost;
        return BarChart.Draw("summary-answers", "Rows by which model is correct",
        [
            Rows("both models", "both", bothRight),
            Rows("only the teacher", "lost", lost),
            Rows("only the student", "gained", gained),
            Rows("neither model", "neither", metrics.LabelledRows - bothRight - lost - gained),
        ]);

        Bar Rows(string name, string kind, long rows) =>
            new(name, kind, rows, $"{Figures.Count(rows, "row")}, {Figures.Percent((double)rows / metrics.LabelledRows)}");
    }

    private static IEnumerable<XElement> WorstClasses(DistillationMetrics metrics)
    {
        List<ClassFidelity> lost = [.. metrics.PerClass.Where(c => c.AccuracyChange < 0).OrderBy(c => c.AccuracyChange).Take(MaximumClasses)];
        if (lost.Count > 0)
            yield return ClassChart.Draw("summary-classes", "Classes that lose most accuracy", lost);
    }

    private static XElement LowestAgreement(DistillationMetrics metrics) => BarChart.Draw(
        "summary-classes",
        "Agreement by the teacher's class, lowest first",
        [
            .. metrics.PerClass.Where(c => c.Agreement is not null).OrderBy(c => c.Agreement).Take(MaximumClasses)
                .Select(c => new Bar(
                    c.Class, "student", c.Agreement!.Value, $"{Figures.Percent(c.Agreement.Value)} of {Figures.Count(c.TeacherPredicts, "row")}")),
        ],
        most: 1);
}

using MlNetDistill.Evaluation;
using static MlNetDistill.Evaluation.Figures;

namespace MlNetDistill.Reporting;

/// <summary>The verdict in three sentences: accuracy, effect of distillation, cost.</summary>
internal static class SummarySentences
{
    // Smaller relative differences of time or size count as equal.
    private const double AboutEqual = 0.05;

    public static string Accuracy(DistillationMetrics metrics)
    {
        if (metrics is not { Teacher.Accuracy: var teacher, Student.Accuracy: var student })
        {
            return $"The student predicts the same class as its teacher on {WithInterval(metrics.Agreement, Percent)} of {Count(metrics.Rows, "row")}; " +
                "no row has a label, so accuracy and calibration are unknown.";
        }

        var both = $"correct on {WithInterval(student, Percent)} of {Count(metrics.LabelledRows, "row")} and the teacher on {WithInterval(teacher, Percent)}";
        if (teacher.Value == 0)
            return $"The student is {both}.";
        // Both models are correct on much the same rows, so the interval of their ratio is much narrower than those of the accuracies.
        var share = metrics is { Replicates: not null, AccuracyRetention: { Lower: not null } paired } ? paired : new Estimate(student / teacher);
        var differs = share is { Lower: { } low, Upper: { } high } ? low > 1 || high < 1 : ReportVerdict.AreSeparate(student, teacher);
        var kept = $"{(share > 1 ? "reaches" : "keeps")} {WithInterval(share, Percent)} of the teacher's accuracy";
        return differs switch
        {
            null => $"The student is {both}, so it {kept}.",
            false => $"No difference in accuracy between student and teacher is shown: the student is {both}, so it {kept}.",
            true => $"The student is {(student > teacher ? "more" : "less")} accurate than its teacher: it is {both}, so it {kept}.",
        };
    }

    public static string Distillation(DistillationReport report)
    {
        if (report.AloneMetrics is not { } alone)
            return "The same student was not trained without a teacher, so it is unknown what distillation added.";
        var agreement = Change("agreement with the teacher", report.Metrics.Agreement, alone.Agreement, report.AgreementOverAlone);
        return "Compared with the same student trained alone, " + (report.Metrics.Student is { } student && alone.Student is { } other
            ? $"{Change("accuracy", student.Accuracy, other.Accuracy, report.AccuracyOverAlone)}; {agreement}."
            : $"{agreement}.");
    }

    public static string Cost(ModelCost? teacher, ModelCost? student)
    {
        if (student is null)
            return "Time and size of the student were not measured.";
        var (time, size) = (Microseconds(student.SingleRow.Median), Bytes(student.ZipBytes));
        if (teacher is null)
            return $"The student takes {time} for one row and its file has {size}; time and size of the teacher were not measured.";
        return $"Compared with its teacher, the student is {Times(teacher.SingleRow.Median, student.SingleRow.Median, "faster", "slower", "about as fast")} " +
            $"({time} instead of {Microseconds(teacher.SingleRow.Median)} for one row) and " +
            $"{Times(teacher.ZipBytes, student.ZipBytes, "smaller", "larger", "about as large")} ({size} instead of {Bytes(teacher.ZipBytes)}).";
    }

    private static string Change(string figure, Estimate distilled, Estimate alone, Estimate? difference)
    {
        // The difference row by row is more precise: chance that affects both models equally cancels out.
        if (difference is { Lower: { } lower, Upper: { } upper } paired)
        {
            return (lower > 0, upper < 0) switch
            {
                (true, _) => $"{figure} is {WithInterval(paired, Points)} higher",
                (_, true) => $"{figure} is {WithInterval(new(-paired.Value, -upper, -lower), Points)} lower",
                _ => $"no difference in {figure} is shown: {Figures.Change(paired)} points ({Figures.Change(lower)} to {Figures.Change(upper)})",
            };
        }

        var (one, other) = (WithInterval(distilled, Percent), WithInterval(alone, Percent));
        return ReportVerdict.AreSeparate(distilled, alone) switch
        {
            true => $"{figure} is {(distilled > alone ? "higher" : "lower")}: {one} instead of {other}",
            false => $"no difference in {figure} is shown: {one} and {other} overlap",
            null => $"{figure} is {one} instead of {other}",
        };
    }

    private static string Times(double teacher, double student, string less, string more, string alike)
    {
        if (Math.Abs(teacher - student) <= AboutEqual * Math.Max(teacher, student))
            return alike;
        return teacher > student ? $"{Ratio(teacher / student)} times {less}" : $"{Ratio(student / teacher)} times {more}";
    }
}

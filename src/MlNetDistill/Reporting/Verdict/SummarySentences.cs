using MlNetDistill.Evaluation;
using static MlNetDistill.Evaluation.Figures;

namespace MlNetDistill.Reporting;

/// <summary>The verdict in three sentences: whether distilling paid, accuracy, cost.</summary>
internal static class SummarySentences
{
    // Smaller relative differences of time or size count as equal.
    private const double AboutEqual = 0.05;

    public const string NoPayoff = "The same student was not trained without a teacher, so it is unknown what distillation added.";

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

    public static string Payoff(DistillationReport report, DistillationMetrics alone)
    {
        var agreement = Answer(PayoffText.Agreement, report.Metrics.Agreement, alone.Agreement, report.AgreementOverAlone);
        var parts = report.Metrics.Student is { } student && alone.Student is { } other
            ? [Answer("accuracy", student.Accuracy, other.Accuracy, report.AccuracyOverAlone), agreement]
            : new[] { agreement };
        return $"{PayoffText.Question} {PayoffText.Join(parts)}";
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

    private static string Answer(string figure, Estimate distilled, Estimate alone, Estimate? difference)
    {
        // The difference row by row is more precise: chance that affects both models equally cancels out.
        if (difference is { Lower: not null } paired)
            return PayoffText.Describe(figure, paired);
        var (one, other) = (WithInterval(distilled, Percent), WithInterval(alone, Percent));
        return ReportVerdict.AreSeparate(distilled, alone) switch
        {
            true => $"by {figure}, {(distilled > alone ? "yes" : "no")}: {one} instead of {other}",
            false => $"by {figure}, not shown: {one} and {other} overlap",
            null => $"by {figure}, unknown without an interval: {one} instead of {other}",
        };
    }

    private static string Times(double teacher, double student, string less, string more, string alike)
    {
        if (Math.Abs(teacher - student) <= AboutEqual * Math.Max(teacher, student))
            return alike;
        return teacher > student ? $"{Ratio(teacher / student)} times {less}" : $"{Ratio(student / teacher)} times {more}";
    }
}

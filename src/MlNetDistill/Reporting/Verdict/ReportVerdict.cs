using MlNetDistill.Evaluation;
using static MlNetDistill.Evaluation.Figures;

namespace MlNetDistill.Reporting;

/// <summary>What the numbers of a report say, in sentences. Where the intervals do not show a difference, the sentences do not either.</summary>
internal static class ReportVerdict
{
    private const string Pointer = "(our reading of Stanton et al. 2021; a pointer, no proof).";
    private const int FewRows = 20;
    private const double KnownRows = 0.01;

    public static IReadOnlyList<string> Of(DistillationReport report) =>
    [
        .. Acceptance(report.Acceptance),
        .. Overlap(report.TrainingOverlap),
        .. Warnings(report.Student.Warnings.Count),
        Accuracy(report.Metrics),
        .. Agreement(report.Metrics),
        .. AloneVerdict.Of(report),
        .. Generalisation(report),
        .. Calibration(report.Metrics),
        .. Classes(report.Metrics),
        .. Costs(report.Teacher.Cost, report.Student.Cost),
    ];

    /// <summary>Whether two intervals lie apart; null where one is missing.</summary>
    public static bool? Apart(Estimate one, Estimate other) =>
        (one, other) is ({ Lower: { } low, Upper: { } high }, { Lower: { } otherLow, Upper: { } otherHigh })
        ? low > otherHigh || otherLow > high
        : null;

    private static IEnumerable<string> Acceptance(AcceptanceResult? acceptance)
    {
        if (acceptance is null)
            yield break;
        var failed = acceptance.Checks.Where(check => !check.Passed).ToList();
        yield return failed.Count == 0
            ? $"Accepted: {(acceptance.Checks.Count == 1 ? "the criterion is" : $"all {acceptance.Checks.Count} criteria are")} met."
            : $"Not accepted: {failed.Count} of {acceptance.Checks.Count} criteria {(failed.Count == 1 ? "is" : "are")} not met.";
        foreach (var check in failed)
            yield return check.Reason;
    }

    private static IEnumerable<string> Overlap(TrainingOverlap? overlap)
    {
        if (overlap is { Excess: > KnownRows })
            yield return $"{overlap} What the student does on known rows is memory: all figures here are better than on other rows. Test on rows that nothing was trained on.";
    }

    private static IEnumerable<string> Warnings(int count)
    {
        if (count > 0)
            yield return $"Training the student gave {(count == 1 ? "a warning, which is" : $"{Count(count)} warnings, which are")} under “How to read this”.";
    }

    private static string Accuracy(DistillationMetrics metrics)
    {
        if (metrics is not { Teacher.Accuracy: var teacher, Student.Accuracy: var student })
            return $"None of the {Count(metrics.Rows)} rows has a label, so neither accuracy nor calibration is known.";
        var both = $"{WithInterval(student, Percent)} of {Count(metrics.LabelledRows)} rows labelled rightly, the teacher {WithInterval(teacher, Percent)}";
        if (teacher.Value == 0)
            return $"The student has {both}.";
        // Both are right on much the same rows: their share is known far better than the two accuracies are.
        if (metrics is { Replicates: not null, AccuracyKept: { Lower: { } low, Upper: { } high } share })
        {
            var shown = high < 1 ? "The student is less accurate" : low > 1 ? "The student is more accurate" : "No difference in accuracy is shown";
            return $"The student keeps {WithInterval(share, Percent)} of its teacher's accuracy: {both}. {shown}.";
        }

        var kept = $"The student keeps {Percent(student / teacher)} of its teacher's accuracy: {both}.";
        return Apart(student, teacher) switch
        {
            null => kept,
            true => $"{kept} The intervals lie apart.",
            false => $"{kept} The intervals overlap, so they do not show a difference in accuracy.",
        };
    }

    private static IEnumerable<string> Agreement(DistillationMetrics metrics)
    {
        var differs = 1 - metrics.Agreement.Value;
        if (differs == 0)
        {
            yield return "The student names the same class as its teacher on every row.";
            yield break;
        }

        var alike =
            $"The student names the same class as its teacher on {WithInterval(metrics.Agreement, Percent)} of the rows. The two answer differently on " +
            Percent(differs);
        yield return AccuracyGap(metrics) is { } gap && differs > 2 * gap
            ? $"{alike} while their accuracies are {Points(gap)} apart: a student can be about as accurate as its teacher and still disagree with it " +
              "(Stanton et al. 2021), and whoever relied on the teacher's answers will see it."
            : $"{alike}.";
        if (metrics.AgreementWhereTeacherIsWrong is { } copied)
            yield return $"Where the teacher is wrong, the student gives the same wrong answer on {WithInterval(copied, Percent)} of the rows.";
    }

    private static double? AccuracyGap(DistillationMetrics metrics) =>
        metrics is { Teacher: { } teacher, Student: { } student } ? Math.Abs(teacher.Accuracy - student.Accuracy) : null;

    /// <summary>Which of the two is larger: what the student disagrees on already where it was trained, or what is added elsewhere.</summary>
    private static IEnumerable<string> Generalisation(DistillationReport report)
    {
        if (report.TrainingMetrics?.Agreement is not { } training)
            yield break;
        var test = report.Metrics.Agreement;
        var (seen, unseen) = (1 - training.Value, training.Value - test.Value);
        var measured =
            $"On the training rows the student agrees with its teacher on {WithInterval(training, Percent)}, on the test rows on " +
            $"{WithInterval(test, Percent)}.";
        yield return (seen, Apart(training, test)) switch
        {
            (0, _) when unseen == 0 => measured,
            _ when seen >= unseen =>
                $"{measured} Most of the disagreement is there on the rows it was trained with, which points to optimisation, or to a student too small, " +
                $"more than to generalisation {Pointer}",
            (_, true) =>
                $"{measured} Most of the disagreement appears on rows it was not trained with, which points to generalisation: more, or more varied, rows to " +
                $"distil on may help {Pointer}",
            (_, false) => $"{measured} The intervals overlap, so no gap between the two is shown.",
            (_, null) => $"{measured} Without intervals whether that gap is chance is not known.",
        };
    }

    private static IEnumerable<string> Calibration(DistillationMetrics metrics)
    {
        if (metrics is not { Teacher: { } teacher, Student: { } student })
            yield break;
        var sure = student.MeanConfidence - student.Accuracy.Value;
        var leaning = Math.Abs(sure) < 0.005 ? "about as sure as it is accurate" : sure > 0 ? "surer than it is accurate" : "less sure than it is accurate";
        yield return $"On the whole the student is {leaning} (mean probability of the class named {Percent(student.MeanConfidence)}, accuracy " +
            $"{Percent(student.Accuracy)}); its expected calibration error is {WithInterval(student.CalibrationError, Points)}, " +
            $"the teacher's {WithInterval(teacher.CalibrationError, Points)}." +
            (Apart(student.CalibrationError, teacher.CalibrationError) == false ? " The intervals overlap, so no difference in calibration is shown." : "");
    }

    private static IEnumerable<string> Classes(DistillationMetrics metrics)
    {
        if (metrics.Student is null)
            yield break;
        var last = metrics.WorstRegressions.Count > 0 ? metrics.WorstRegressions[0] : metrics.PerClass.MinBy(known => known.AccuracyChange);
        // Words stand between the name and the first figure: a name that runs from right to left would turn what follows at once.
        yield return last is not { AccuracyChange: < 0 } worst
            ? "In no class is the student less accurate than its teacher."
            : $"The class '{worst.Class}' loses most: {Percent(worst.TeacherAccuracy!.Value)} of its {Count(worst.Rows)} rows are labelled rightly by the " +
              $"teacher, {Percent(worst.StudentAccuracy!.Value)} by the student.{(worst.Rows < FewRows ? " That is few rows to judge by." : "")}";
    }

    private static IEnumerable<string> Costs(ModelCost? teacher, ModelCost? student)
    {
        if (student is null)
            yield break;
        var alone =
            $"A row takes the student {Microseconds(student.SingleRow.Median)} (median, through a PredictionEngine), and its file has {Bytes(student.ZipBytes)}";
        if (teacher is null)
        {
            yield return $"{alone}; what the teacher costs was not measured.";
            yield break;
        }

        yield return $"{alone}; the teacher takes {Microseconds(teacher.SingleRow.Median)} and {Bytes(teacher.ZipBytes)}. The student is " +
            $"{Times(teacher.SingleRow.Median, student.SingleRow.Median, "faster", "slower")} and {Times(teacher.ZipBytes, student.ZipBytes, "smaller", "larger")}.";
    }

    private static string Times(double teacher, double student, string less, string more)
    {
        // Closer than that is noise.
        if (Math.Abs(teacher - student) <= 0.05 * Math.Max(teacher, student))
            return $"neither {less} nor {more}";
        return teacher > student ? $"{Ratio(teacher / student)} times {less}" : $"{Ratio(student / teacher)} times {more}";
    }
}

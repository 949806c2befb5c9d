using MlNetDistill.Evaluation;
using static MlNetDistill.Evaluation.Figures;

namespace MlNetDistill.Reporting;

/// <summary>Further findings after the summary: where student and teacher differ, and possible reasons.</summary>
internal static class FindingSentences
{
    private const string Indication = "(our reading of Stanton et al. 2021; an indication, not a proof).";
    private const int FewRows = 20;
    private const double AboutEqual = 0.005;

    public static IEnumerable<string> From(DistillationReport report) =>
    [
        .. Agreement(report.Metrics),
        .. Generalisation(report),
        .. Calibration(report.Metrics),
        .. Classes(report.Metrics),
        .. report.AloneMetrics is null ? Array.Empty<string>() : ["Each student was trained once; the intervals do not cover what other seeds would give."],
    ];

    private static IEnumerable<string> Agreement(DistillationMetrics metrics)
    {
        var differs = 1 - metrics.Agreement.Value;
        if (differs == 0)
        {
            yield return "The student predicts the same class as its teacher on every row.";
            yield break;
        }

        var both = $"The student predicts the same class as its teacher on {WithInterval(metrics.Agreement, Percent)} of the rows, and another class on {Percent(differs)}";
        yield return AccuracyGap(metrics) is { } gap && differs > 2 * gap
            ? $"{both}, although their accuracies are only {Points(gap)} apart. A student can be about as accurate as its teacher and still disagree with it " +
              "(Stanton et al. 2021); this matters wherever the teacher's outputs are relied on."
            : $"{both}.";
        if (metrics.AgreementWhereTeacherIsWrong is { } copied)
            yield return $"Where the teacher is wrong, the student makes the same mistake on {WithInterval(copied, Percent)} of the rows.";
    }

    private static double? AccuracyGap(DistillationMetrics metrics) =>
        metrics is { Teacher: { } teacher, Student: { } student } ? Math.Abs(teacher.Accuracy - student.Accuracy) : null;

    /// <summary>Compares the disagreement on the training rows with the additional disagreement on the test rows.</summary>
    private static IEnumerable<string> Generalisation(DistillationReport report)
    {
        if (report.TrainingMetrics?.Agreement is not { } training)
            yield break;
        var test = report.Metrics.Agreement;
        var (onTraining, added) = (1 - training.Value, training.Value - test.Value);
        var measured = $"The student agrees with its teacher on {WithInterval(training, Percent)} of the training rows and on {WithInterval(test, Percent)} of the test rows.";
        yield return (onTraining, ReportVerdict.AreSeparate(training, test)) switch
        {
            (0, _) when added == 0 => measured,
            _ when onTraining >= added =>
                $"{measured} Most of the disagreement is already on the training rows, which points to optimisation, or to a student that is too small, " +
                $"rather than to generalisation {Indication}",
            (_, true) =>
                $"{measured} Most of the disagreement is only on rows that it was not trained on, which points to generalisation: more training rows, or " +
                $"more varied ones, may help {Indication}",
            (_, false) => $"{measured} The intervals overlap, so no gap between the two is shown.",
            (_, null) => $"{measured} Without intervals it is unknown whether this gap is more than chance.",
        };
    }

    private static IEnumerable<string> Calibration(DistillationMetrics metrics)
    {
        if (metrics is not { Teacher: { } teacher, Student: { } student })
            yield break;
        var excess = student.MeanConfidence - student.Accuracy.Value;
        var confidence = Math.Abs(excess) < AboutEqual ? "about as confident as it is accurate" : excess > 0 ? "overconfident" : "underconfident";
        yield return $"The student is {confidence}: the mean probability of its predicted class is {Percent(student.MeanConfidence)}, and its accuracy " +
            $"{Percent(student.Accuracy)}. Its expected calibration error is {WithInterval(student.CalibrationError, Points)}, " +
            $"the teacher's {WithInterval(teacher.CalibrationError, Points)}." +
            (ReportVerdict.AreSeparate(student.CalibrationError, teacher.CalibrationError) == false ? " The intervals overlap, so no difference in calibration is shown." : "");
    }

    private static IEnumerable<string> Classes(DistillationMetrics metrics)
    {
        if (metrics.Student is null)
            yield break;
        var last = metrics.WorstRegressions.Count > 0 ? metrics.WorstRegressions[0] : metrics.PerClass.MinBy(c => c.AccuracyChange);
        // Words separate the name from the first figure: a right-to-left name would otherwise reverse figures that follow it.
        yield return last is not { AccuracyChange: < 0 } worst
            ? "The student is not less accurate than its teacher in any class."
            : $"The class '{worst.Class}' loses most: of {Count(worst.Rows, "row")}, the teacher is correct on {Percent(worst.TeacherAccuracy!.Value)} and the " +
              $"student on {Percent(worst.StudentAccuracy!.Value)}.{(worst.Rows < FewRows ? " These are few rows to judge by." : "")}";
    }
}

using MlNetDistill.Evaluation;
using static MlNetDistill.Evaluation.Figures;

namespace MlNetDistill.Fitting;

/// <summary>Warns of a teacher from which there is hardly anything to learn.</summary>
internal static class PayoffWarning
{
    // Our choice: a smaller gain than half a point is rarely worth a teacher.
    private const double Hardly = 0.005;

    /// <summary>Fewer held-out rows show nothing.</summary>
    public const int FewestRows = 30;

    /// <summary>The warning that the teacher is hardly better than the student alone; null if it is, or this is unknown.</summary>
    public static string? Create(DistillationPayoff comparison)
    {
        if (comparison.LabelledRows < FewestRows || comparison.TeacherAccuracyOverAlone is not { Lower: { } lower } gain || (lower > 0 && gain >= Hardly))
            return null;
        return $"{Found(gain, comparison.LabelledRows)}, so there is little to learn from it. Take the student alone (Alone), or a better teacher; if agreement with this " +
            "teacher is what counts, see Comparison.Agreement.";
    }

    /// <summary>
    /// The same before a fit, by the estimate alone: it is made from few rows, so that its interval seldom shows anything. Null if the teacher is better.
    /// </summary>
    /// <param name="gain">The teacher's accuracy minus that of the student alone.</param>
    /// <param name="rows">Number of held-out rows.</param>
    public static string? Create(Estimate gain, long rows) => gain < Hardly ? $"{Found(gain, rows)}: distilling may cost more than it gives." : null;

    private static string Found(Estimate gain, long rows) =>
        $"The teacher is hardly better than the same student trained on labels alone: on {Count(rows, "held-out row")} with a label its accuracy differs by {PayoffText.Interval(gain)}";
}

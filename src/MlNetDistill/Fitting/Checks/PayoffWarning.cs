using MlNetDistill.Evaluation;
using static MlNetDistill.Evaluation.Figures;

namespace MlNetDistill.Fitting;

/// <summary>Warns of a teacher from which there is hardly anything to learn.</summary>
internal static class PayoffWarning
{
    // Our choice: a smaller gain than half a point is rarely worth a teacher.
    private const double Hardly = 0.005;

    /// <summary>The warning that the teacher is hardly better than the student alone; null if it is, or this is unknown.</summary>
    public static string? Create(DistillationPayoff comparison)
    {
        if (comparison.TeacherAccuracyOverAlone is not { Lower: { } lower, Upper: { } upper } gain || (lower > 0 && gain >= Hardly))
            return null;
        var found = $"{Change(gain)} points ({Change(lower)} to {Change(upper)})";
        return $"The teacher is hardly better than the same student trained on labels alone: on {Count(comparison.LabelledRows, "held-out row")} with a label its accuracy " +
            $"differs by {found}, so there is little to learn from it. Take the student alone (Alone), or a better teacher; if agreement with this teacher is what " +
            "counts, see Comparison.Agreement.";
    }
}

using MlNetDistill.Evaluation;
using static MlNetDistill.Evaluation.Figures;

namespace MlNetDistill.Reporting;

/// <summary>Whether the teacher was worth its while: the distilled student beside the same student trained alone.</summary>
internal static class AloneVerdict
{
    private const string OneRun = "This is one run of each; what other seeds give is not in the intervals.";

    public static IEnumerable<string> Of(DistillationReport report)
    {
        if (report.AloneMetrics is not { } alone)
            yield break;
        var said = new List<string>();
        if (report.Metrics.Student is { } student && alone.Student is { } other)
            said.Add(Beside("accuracy", student.Accuracy, other.Accuracy, report.AccuracyOverAlone));
        said.Add(Beside("agreement with the teacher", report.Metrics.Agreement, alone.Agreement, report.AgreementOverAlone));
        yield return $"{string.Join(" ", said)} {OneRun}";
    }

    private static string Moves(string way, string figure) => $"Beside the same student trained alone, distillation {way} the {figure}";

    private static string Beside(string figure, Estimate distilled, Estimate alone, Estimate? difference)
    {
        var both = $"{WithInterval(distilled, Percent)} against {WithInterval(alone, Percent)}";
        // A difference row by row is the sharper measure: chance that strikes both models alike is not in it.
        if (difference is { Lower: { } lower, Upper: { } upper } paired)
        {
            return (lower > 0, upper < 0) switch
            {
                (true, _) => $"{Moves("raises", figure)} by {WithInterval(paired, Points)}: {both}.",
                (_, true) => $"{Moves("lowers", figure)} by {WithInterval(new(-paired.Value, -upper, -lower), Points)}: {both}.",
                _ => $"No difference in {figure} from the same student trained alone is shown, " +
                    $"{Change(paired)} points ({Change(lower)} to {Change(upper)}): {both}.",
            };
        }

        return ReportVerdict.Apart(distilled, alone) switch
        {
            true => $"{Moves(distilled > alone ? "raises" : "lowers", figure)}, {both}: the intervals lie apart.",
            false => $"No difference in {figure} from the same student trained alone is shown, {both}: the intervals overlap.",
            null => $"The distilled student's {figure} is {both} of the same student trained alone, without intervals to judge by.",
        };
    }
}

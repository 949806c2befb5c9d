using MlNetDistill.Evaluation;
using static System.FormattableString;

namespace MlNetDistill;

/// <summary>Says in sentences what came of a search.</summary>
internal static class SearchVerdict
{
    public static string Write(SearchResult result) => string.Join(' ', Sentences(result));

    private static IEnumerable<string> Sentences(SearchResult result)
    {
        var measure = result.Goal.Measure == SearchMeasure.Accuracy ? "accuracy" : "agreement with the teacher";
        var change = Figures.WithInterval(result.Gain, gain => Figures.Change(gain));
        var rows = Figures.Count(result.Metrics.Rows, "row");
        var compared = $"Against the same network on labels alone, its own learning rate searched, the {measure} of the best distilled student ({Describe(result.Best)}) differs by {change} points " +
            $"on {rows} that no training and no choice has used";
        yield return result switch
        {
            { PrefersAlone: true } => $"Distilling does not pay here. {compared}: the student alone is returned.",
            { Gain.Lower: > 0 } => $"Distilling pays. {compared}.",
            _ => $"Whether distilling pays is open. {compared}: the interval includes 0.",
        };
        if (result.TeacherKnowsRows)
        {
            yield return $"The teacher is right on nearly all of the {Figures.Count(result.ChoosingRows + result.Metrics.Rows)} held-out rows: most likely it was trained on them. " +
                "Then its answers for rows nearby give their labels away, and distilled students look better here than they are. Let the search fit the teacher " +
                "(Teacher.FromEstimator), or keep the held-out rows from its training (SearchOptions.ValidationFraction and JudgeFraction).";
        }

        if (result.Goal.Keeps is { } keeps)
            yield return Kept(result, keeps);
    }

    private static string Kept(SearchResult result, double asked)
    {
        // The student that is returned may be the student alone.
        var metrics = result.PrefersAlone ? result.AloneMetrics : result.Metrics;
        var (share, what) = result.Goal.Measure == SearchMeasure.Accuracy
            ? (metrics.AccuracyRetention!.Value, "of the teacher's accuracy")
            : (metrics.Agreement, "of the teacher's answers");
        var kept = $"On these rows, the returned {result.Model.Model.Spec.Name} keeps {Figures.WithInterval(share, Figures.Percent)} {what}; {Figures.Percent(asked)} was asked for";
        return share >= asked ? $"{kept}." : $"{kept}, so it falls short. A larger student, longer training or more rows may reach it.";
    }

    private static string Describe(SearchTrial trial) => Invariant($"{trial.Student.Name}, {trial.Method}, rate {trial.LearningRate:G3}{(trial.TransferRows is null ? "" : $", {trial.TransferRows.Short}")}");
}

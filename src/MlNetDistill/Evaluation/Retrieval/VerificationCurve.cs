namespace MlNetDistill.Evaluation;

/// <summary>The receiver operating characteristic of scores of pairs.</summary>
internal static class VerificationCurve
{
    private const int MostPoints = 1000;

    /// <summary>How many of the highest scores of unlike pairs are needed for the thresholds.</summary>
    public static long NeededNegatives(VerificationOptions options, long negatives) => (long)(options.FalseAcceptRates.DefaultIfEmpty(0).Max() * negatives) + 1;

    /// <param name="counts">Where scores of unlike pairs lie between those of pairs of the same identity.</param>
    /// <param name="highest">The highest scores of unlike pairs, from the largest down, at least <see cref="NeededNegatives"/> of them.</param>
    /// <param name="options">Settings.</param>
    /// <param name="folds">The accuracies of folds, or null.</param>
    /// <exception cref="InvalidOperationException">There are only pairs of one kind.</exception>
    public static VerificationMetrics Metrics(PairCounts counts, float[] highest, VerificationOptions options, IReadOnlyList<double>? folds)
    {
        var (positives, negatives) = (counts.Positives, counts.Negatives);
        if (positives == 0 || negatives == 0)
        {
            throw new InvalidOperationException(
                $"There is no pair of {(positives == 0 ? "the same identity" : "unlike identities")}, so there is nothing to tell apart. Give rows with identities of both kinds; a report leaves verification out if its Verification is null.");
        }

        var points = counts.Points().ToList();
        var step = (points.Count + MostPoints - 1) / MostPoints;
        return new VerificationMetrics
        {
            Positives = positives,
            Negatives = negatives,
            AreaUnderCurve = counts.AreaUnderCurve(),
            AcceptRates = [.. options.FalseAcceptRates.Select(rate => At(rate, points, highest, positives, negatives))],
            Curve = [.. points.Where((_, i) => i % step == 0 || i == points.Count - 1).Select(p => new RatePoint(p.Score, (double)p.Negatives / negatives, (double)p.Positives / positives))],
            FoldAccuracies = folds,
        };
    }

    private static AcceptRate At(double rate, List<(float Score, long Negatives, long Positives)> points, float[] highest, long positives, long negatives)
    {
        bool IsAllowed(long accepted) => (double)accepted / negatives <= rate;
        var last = points.FindLastIndex(point => IsAllowed(point.Negatives));
        float? threshold = last < 0 ? null : points[last].Score;
        // The lowest score of an unlike pair that may still be accepted, with all that are equal to it.
        for (var i = 0; i < highest.Length && IsAllowed(i + 1); i++)
        {
            if ((i + 1 == highest.Length || highest[i + 1] < highest[i]) && !(highest[i] > threshold))
                threshold = highest[i];
        }

        return new AcceptRate(rate, last < 0 ? 0 : (double)points[last].Positives / positives, threshold);
    }
}

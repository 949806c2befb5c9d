namespace MlNetDistill.Evaluation;

/// <summary>
/// The accuracy of the LFW protocol, as insightface computes it (eval/verification.py, calculate_roc): folds of pairs in the order of the data, and on each the accuracy
/// with the threshold that is best on the others.
/// </summary>
internal static class FoldAccuracy
{
    private const int Thresholds = 400;

    /// <param name="distances">Squared distances of unit vectors.</param>
    /// <param name="isSame">Whether the pairs are of the same identity.</param>
    /// <param name="folds">Number of folds, at most that of pairs.</param>
    public static double[] Compute(double[] distances, bool[] isSame, int folds)
    {
        // Right answers for each threshold and fold.
        var right = new int[folds, Thresholds];
        var sizes = new int[folds];
        for (var (fold, from) = (0, 0); fold < folds; from += sizes[fold++])
        {
            sizes[fold] = (distances.Length / folds) + (fold < distances.Length % folds ? 1 : 0);
            for (var i = from; i < from + sizes[fold]; i++)
            {
                for (var t = 0; t < Thresholds; t++)
                    right[fold, t] += distances[i] < t * 0.01 == isSame[i] ? 1 : 0;
            }
        }

        return [.. Enumerable.Range(0, folds).Select(fold => (double)right[fold, BestOnOthers(right, fold)] / sizes[fold])];
    }

    // The first of equally good ones.
    private static int BestOnOthers(int[,] right, int fold) =>
        Enumerable.Range(0, Thresholds).MaxBy(t => Enumerable.Range(0, right.GetLength(0)).Where(other => other != fold).Sum(other => right[other, t]));
}

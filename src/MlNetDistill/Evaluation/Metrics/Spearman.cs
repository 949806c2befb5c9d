namespace MlNetDistill.Evaluation;

/// <summary>Spearman's rank correlation over rows.</summary>
internal static class Spearman
{
    /// <summary>The correlation of the ranks, equal values with their mean rank; null if all values of one list are equal.</summary>
    public static double? Compute(IReadOnlyList<double> a, IReadOnlyList<double> b)
    {
        var (first, second) = (Rank(a), Rank(b));
        var mean = (a.Count - 1) / 2.0;
        var (products, firstSquares, secondSquares) = (0.0, 0.0, 0.0);
        for (var i = 0; i < first.Length; i++)
        {
            var (x, y) = (first[i] - mean, second[i] - mean);
            (products, firstSquares, secondSquares) = (products + (x * y), firstSquares + (x * x), secondSquares + (y * y));
        }

        return firstSquares == 0 || secondSquares == 0 ? null : products / Math.Sqrt(firstSquares * secondSquares);
    }

    private static double[] Rank(IReadOnlyList<double> values)
    {
        int[] order = [.. Enumerable.Range(0, values.Count).OrderBy(i => values[i])];
        var ranks = new double[values.Count];
        for (int from = 0, to; from < order.Length; from = to)
        {
            for (to = from + 1; to < order.Length && values[order[to]] == values[order[from]]; to++)
            {
            }

            for (var i = from; i < to; i++)
                ranks[order[i]] = (from + to - 1) / 2.0;
        }

        return ranks;
    }
}

namespace MlNetDistill.Evaluation;

/// <summary>The bootstrap of an evaluation: gives the intervals of figures, and of their differences from another evaluation's on the same rows.</summary>
/// <param name="Sums">The sums, final.</param>
/// <param name="ConfidenceLevel">Confidence level of the intervals.</param>
/// <param name="Seed">Seed of the weights.</param>
/// <param name="RowsHash">A hash of the ids of its rows, whatever their order.</param>
internal sealed record Replicates(ReplicateSums Sums, double ConfidenceLevel, int Seed, ulong RowsHash)
{
    /// <summary>Computes a figure for a column, which is all rows or a replicate; NaN if there are no rows for it.</summary>
    public delegate double Figure(ReplicateSums sums, int column);

    private double Tail => (1 - ConfidenceLevel) / 2;

    public static Figure Share(Statistic part, Statistic whole) => (sums, column) => sums[part, column] / sums[whole, column];

    public static Figure TopKOverlap(int which) => (sums, column) => sums.TopKOverlap(which, column) / sums[Statistic.Rows, column];

    public static double AgreementWhereTeacherIsWrong(ReplicateSums sums, int column) =>
        sums[Statistic.BothWrongAlike, column] / (sums[Statistic.Labelled, column] - sums[Statistic.TeacherCorrect, column]);

    /// <summary>Σ rows/N · |accuracy − mean confidence| = Σ |Σ (confidence − correctness)| / N.</summary>
    public static double TeacherCalibrationError(ReplicateSums sums, int column) => sums.TeacherGap(column) / sums[Statistic.Labelled, column];

    public static double StudentCalibrationError(ReplicateSums sums, int column) => sums.StudentGap(column) / sums[Statistic.Labelled, column];

    /// <summary>The figure and its interval; null if there are no rows for it.</summary>
    public Estimate? EstimateFigure(Figure figure) => EstimateFrom(column => figure(Sums, column));

    /// <summary>
    /// A mean over rows of a number in [0, 1], and its interval. If the mean is 0 or 1, all rows have the same number, and so have all replicates: their interval would
    /// have no width, with three rows as with a million. Then the interval is widened to the exact one of a share (Clopper and Pearson 1934).
    /// </summary>
    /// <param name="figure">The share.</param>
    /// <param name="rows">Number of rows over which the mean is taken.</param>
    public Estimate? EstimateShare(Figure figure, double rows)
    {
        if (EstimateFigure(figure) is not { Lower: { } lower, Upper: { } upper } estimate)
            return EstimateFigure(figure);
        var least = Math.Pow(Tail, 1 / rows);
        return estimate.Value switch
        {
            0 => estimate with { Upper = Math.Max(upper, 1 - least) },
            1 => estimate with { Lower = Math.Min(lower, least) },
            _ => estimate,
        };
    }

    /// <summary>The figure minus another evaluation's, replicate by replicate.</summary>
    public Estimate? EstimateDifference(Replicates other, Figure figure) => EstimateFrom(column => figure(Sums, column) - figure(other.Sums, column));

    private Estimate? EstimateFrom(Func<int, double> figure)
    {
        var value = figure(0);
        if (double.IsNaN(value))
            return null;
        // A replicate may contain none of the rows that a figure needs.
        double[] sorted = [.. Enumerable.Range(1, Sums.Columns - 1).Select(figure).Where(double.IsFinite).Order()];
        return sorted.Length < 2 ? new Estimate(value) : new Estimate(value, Quantile(sorted, Tail), Quantile(sorted, 1 - Tail));
    }

    /// <summary>Linear between the two nearest (Hyndman and Fan's type 7).</summary>
    private static double Quantile(double[] sorted, double share)
    {
        var position = share * (sorted.Length - 1);
        var below = (int)position;
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((position - below) * (sorted[above] - sorted[below]));
    }
}

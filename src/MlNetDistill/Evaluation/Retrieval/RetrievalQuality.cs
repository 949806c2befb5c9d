namespace MlNetDistill.Evaluation;

/// <summary>How well a model's embeddings find rows of the same identity. Means are over the queries that have such a row in the gallery.</summary>
public sealed record RetrievalQuality
{
    /// <summary>Share of the queries whose nearest row has their identity, in [0, 1].</summary>
    public double RankOne => RankAt(1);

    /// <summary>
    /// The cumulative match curve: entry k - 1 is the share of the queries that have a row of their identity among the k nearest. Of equally near rows, the one that
    /// comes first in the data is nearer.
    /// </summary>
    public required IReadOnlyList<double> MatchCurve { get; init; }

    /// <summary>Mean average precision, in [0, 1]: the average precision of a query is the mean, over its matches, of the share of matches among the rows up to it.</summary>
    public required double MeanAveragePrecision { get; init; }

    /// <summary>Share of the queries that have a row of their identity among the <paramref name="rank"/> nearest.</summary>
    /// <param name="rank">From 1 to the length of <see cref="MatchCurve"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The curve is shorter.</exception>
    public double RankAt(int rank)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rank, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rank, MatchCurve.Count);
        return MatchCurve[rank - 1];
    }

    /// <summary>Rank 1 and mean average precision.</summary>
    public override string ToString() => $"rank 1: {Figures.Percent(RankOne)}, mAP {Figures.Percent(MeanAveragePrecision)}";
}

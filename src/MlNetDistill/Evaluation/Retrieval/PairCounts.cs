namespace MlNetDistill.Evaluation;

/// <summary>
/// Where the scores of pairs of unlike identities lie between those of pairs of the same identity. That is all that the curve and its area need, so the scores of unlike
/// pairs, of which there are many, are counted and not kept.
/// </summary>
internal sealed class PairCounts
{
    private readonly float[] _positives;
    private readonly long[] _multiplicities;
    private readonly long[] _above;
    private readonly long[] _equal;

    /// <param name="positives">Scores of all pairs of the same identity.</param>
    public PairCounts(IEnumerable<float> positives)
    {
        var groups = positives.GroupBy(score => score).OrderByDescending(group => group.Key).ToList();
        _positives = [.. groups.Select(group => group.Key)];
        _multiplicities = [.. groups.Select(group => (long)group.Count())];
        (_above, _equal) = (new long[_positives.Length + 1], new long[_positives.Length + 1]);
    }

    public long Positives => _multiplicities.Sum();

    public long Negatives => _above.Sum() + _equal.Sum();

    /// <summary>Counts the score of a pair of unlike identities; several threads may do so at once.</summary>
    public void Add(float score)
    {
        var (low, high) = (0, _positives.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_positives[middle] > score)
                low = middle + 1;
            else
                high = middle;
        }

        var isEqual = low < _positives.Length && _positives[low] == score;
        Interlocked.Increment(ref (isEqual ? _equal : _above)[low]);
    }

    /// <summary>The curve at every score of a pair of the same identity, from the highest down: the score, accepted unlike pairs, accepted pairs of the same identity.</summary>
    public IEnumerable<(float Score, long Negatives, long Positives)> Points()
    {
        var (negatives, positives) = (0L, 0L);
        for (var i = 0; i < _positives.Length; i++)
        {
            negatives += _above[i] + _equal[i];
            positives += _multiplicities[i];
            yield return (_positives[i], negatives, positives);
        }
    }

    /// <summary>The share of the pairs of pairs in which that of the same identity has the higher score, ties by half.</summary>
    public double AreaUnderCurve()
    {
        var total = Negatives;
        var wins = Points().Select((point, i) => (total - point.Negatives + (0.5 * _equal[i])) * _multiplicities[i]).Sum();
        return wins / ((double)total * Positives);
    }
}

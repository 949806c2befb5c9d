namespace MlNetDistill.Evaluation;

/// <summary>
/// A set of rows as hashes of their values: of all rows, or of a large set only the smallest hashes. Whether a row belongs to these depends only on its values, so the
/// share of other rows that are also in the set can be estimated from them.
/// </summary>
internal sealed class RowSketch
{
    private readonly HashSet<ulong> _hashes;
    private readonly ulong _largest;

    private RowSketch(Dictionary<ulong, int> counts, ulong largest)
    {
        _hashes = [.. counts.Keys];
        _largest = largest;
        double rows = counts.Values.Sum(count => (long)count);
        Duplicates = counts.Count == 0 ? 0 : counts.Values.Where(count => count > 1).Sum(count => (long)count) / rows;
    }

    /// <summary>Share of the rows that have the same values as another row.</summary>
    public double Duplicates { get; }

    /// <param name="hashes">A hash for each row.</param>
    /// <param name="most">Number of hashes to keep; up to twice as many while the hashes are read.</param>
    public static RowSketch FromHashes(IEnumerable<ulong> hashes, int most = 1 << 16)
    {
        var (counts, largest) = (new Dictionary<ulong, int>(), ulong.MaxValue);
        foreach (var hash in hashes)
        {
            if (hash > largest)
                continue;
            counts[hash] = counts.GetValueOrDefault(hash) + 1;
            if (counts.Count >= 2 * most)
                Prune();
        }

        if (counts.Count > most)
            Prune();
        return new(counts, largest);

        void Prune()
        {
            largest = counts.Keys.Order().ElementAt(most - 1);
            foreach (var hash in counts.Keys.Where(hash => hash > largest).ToList())
                counts.Remove(hash);
        }
    }

    /// <summary>The overlap of other rows with these; null if there are too few rows to estimate it.</summary>
    /// <param name="rows">A hash for each row.</param>
    public TrainingOverlap? MeasureOverlap(IEnumerable<ulong> rows)
    {
        var (compared, shared) = (0L, 0L);
        foreach (var hash in rows.Where(hash => hash <= _largest))
        {
            compared++;
            shared += _hashes.Contains(hash) ? 1 : 0;
        }

        return compared == 0 || _hashes.Count == 0 ? null : new((double)shared / compared, Duplicates);
    }
}

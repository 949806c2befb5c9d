namespace DoesItPay.Data;

/// <summary>The training rows of a run: a share of them with their labels, the rest without.</summary>
/// <param name="Labelled">The rows whose labels are known.</param>
/// <param name="Unlabelled">The other training rows, without their labels.</param>
internal sealed record Sample(Record[] Labelled, Record[] Unlabelled)
{
    // A class with a single row could not be both learnt and held out.
    private const int FewestOfAClass = 2;

    public Record[] All => [.. Labelled, .. Unlabelled];

    /// <summary>The same share of every class, drawn by the seed: another seed draws other rows.</summary>
    public static Sample Draw(DataSet set, int percent, int seed)
    {
        if (percent == 100)
            return new Sample(set.Train, []);
        var (labelled, others) = Split(set.Train, percent / 100.0, seed);
        return new Sample(labelled, [.. others.Select(row => row.WithoutLabel())]);
    }

    /// <summary>Divides rows in two, with the same share of every class, both parts in random order.</summary>
    public static (Record[] Part, Record[] Others) Split(IReadOnlyCollection<Record> rows, double share, int seed, int fewestOfAClass = FewestOfAClass)
    {
        var random = new Random(seed);
        var (part, rest) = (new List<Record>(), new List<Record>());
        foreach (var group in rows.GroupBy(row => row.Label).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            Record[] all = [.. group];
            random.Shuffle(all);
            var count = Math.Min(all.Length, Math.Max(fewestOfAClass, (int)Math.Round(share * all.Length)));
            part.AddRange(all[..count]);
            rest.AddRange(all[count..]);
        }

        return (Shuffle(part, random), Shuffle(rest, random));
    }

    private static Record[] Shuffle(List<Record> rows, Random random)
    {
        Record[] all = [.. rows];
        random.Shuffle(all);
        return all;
    }
}

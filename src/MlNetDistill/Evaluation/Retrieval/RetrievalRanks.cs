namespace MlNetDistill.Evaluation;

/// <summary>The ranks at which a query's matches are found.</summary>
internal static class RetrievalRanks
{
    /// <summary>
    /// The ranks, from 1, of the matches among the rows that are searched, in ascending order. Nothing is sorted but the matches: every other row is counted where it
    /// comes before some of them.
    /// </summary>
    /// <param name="scores">The query's cosine with every row.</param>
    /// <param name="kindOf">What a row is to the query.</param>
    public static int[] Of(float[] scores, Func<int, RowKind> kindOf)
    {
        var matches = new List<int>();
        for (var j = 0; j < scores.Length; j++)
        {
            if (kindOf(j) == RowKind.Match)
                matches.Add(j);
        }

        if (matches.Count == 0)
            return [];
        matches.Sort((a, b) => Compare(scores, a, b));
        // Entry i counts other rows that come before match i and after match i - 1.
        var before = new int[matches.Count + 1];
        for (var j = 0; j < scores.Length; j++)
        {
            if (kindOf(j) == RowKind.Other)
                before[Count(scores, matches, j)]++;
        }

        var ranks = new int[matches.Count];
        var others = 0;
        for (var i = 0; i < ranks.Length; i++)
        {
            others += before[i];
            ranks[i] = i + 1 + others;
        }

        return ranks;
    }

    /// <summary>How many of the matches come before a row.</summary>
    private static int Count(float[] scores, List<int> matches, int row)
    {
        var (low, high) = (0, matches.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (Compare(scores, matches[middle], row) < 0)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }

    // The larger score is first, of equal ones the earlier row.
    private static int Compare(float[] scores, int a, int b) => scores[a] != scores[b] ? scores[b].CompareTo(scores[a]) : a.CompareTo(b);
}

/// <summary>What a row of the gallery is to a query.</summary>
internal enum RowKind
{
    /// <summary>Not searched: the query's own row, or one of the same identity and camera.</summary>
    LeftOut,

    /// <summary>Of the same identity.</summary>
    Match,

    /// <summary>Of another identity, or of none.</summary>
    Other,
}

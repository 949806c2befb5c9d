using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>Rows in groups (classes or clusters), none empty, and batches with the same number of rows of each of some groups.</summary>
/// <param name="groups">Positions of the rows of each group, at least one a group.</param>
internal sealed class RowGroups(IReadOnlyList<long[]> groups)
{
    /// <summary>Groups the elements of <paramref name="positions"/> by <paramref name="keys"/>, in the order of the keys.</summary>
    public static RowGroups FromKeys(long[] keys, long[] positions) =>
        new([.. keys.Zip(positions).GroupBy(pair => pair.First, pair => pair.Second).OrderBy(g => g.Key).Select(g => g.ToArray())]);

    /// <summary>Number of groups.</summary>
    public int Count => groups.Count;

    /// <summary>
    /// Batches of <paramref name="instances"/> rows of each of <paramref name="drawn"/> different groups. A row is in a batch only once, unless its group has fewer rows
    /// than <paramref name="instances"/>. A group is shuffled again when fewer than <paramref name="instances"/> of its rows are unused.
    /// </summary>
    public IEnumerable<Tensor> Batches(int batches, int drawn, int instances, Device device, Generator generator)
    {
        // One draw of the run's generator for the whole epoch: a tensor for each of the many small draws would be slow.
        var random = new Random((int)Seed(generator));
        var queues = groups.Select(g => (long[])g.Clone()).ToArray();
        var taken = groups.Select(g => g.Length).ToArray();
        var order = Enumerable.Range(0, groups.Count).ToArray();
        var rows = new long[drawn * instances];
        for (var batch = 0; batch < batches; batch++)
        {
            random.Shuffle(order);
            for (var i = 0; i < drawn; i++)
                Take(order[i], rows.AsSpan(i * instances, instances));
            using var positions = tensor(rows, int64, device).DetachFromDisposeScope();
            yield return positions;
        }

        void Take(int group, Span<long> into)
        {
            var queue = queues[group];
            if (taken[group] + into.Length > queue.Length)
                taken[group] = queue.Length;
            foreach (ref var row in into)
            {
                if (taken[group] == queue.Length)
                {
                    random.Shuffle(queue);
                    taken[group] = 0;
                }

                row = queue[taken[group]++];
            }
        }
    }

    private static long Seed(Generator generator)
    {
        using var scope = NewDisposeScope();
        return randint(int.MaxValue, [1], int64, CPU, generator: generator).item<long>();
    }
}

using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>Groups the batches of an epoch, as a teacher that is trained needs several at once.</summary>
internal static class Rounds
{
    /// <summary>Groups of <paramref name="size"/> batches; the last may be smaller. Their positions are valid until the next group is requested.</summary>
    public static IEnumerable<IReadOnlyList<Tensor>> Divide(IEnumerable<Tensor> batches, int size)
    {
        if (size == 1)
        {
            foreach (var positions in batches)
                yield return [positions];
            yield break;
        }

        var group = new List<Tensor>();
        try
        {
            foreach (var positions in batches)
            {
                // A sampler may dispose of a batch when the next one is requested.
                group.Add(positions.clone().DetachFromDisposeScope());
                if (group.Count < size)
                    continue;
                yield return group;
                Release(group);
            }

            if (group.Count > 0)
                yield return group;
        }
        finally
        {
            Release(group);
        }
    }

    /// <summary>The rounds of an epoch after those that were trained before; all are drawn again.</summary>
    /// <param name="rounds">All rounds.</param>
    /// <param name="trained">Number of those that were trained.</param>
    /// <param name="reached">Called after the last of these, before the next.</param>
    public static IEnumerable<IReadOnlyList<Tensor>> SkipTrained(IEnumerable<IReadOnlyList<Tensor>> rounds, int trained, Action reached)
    {
        var done = 0;
        foreach (var round in rounds)
        {
            if (done == trained)
                reached();
            if (++done > trained)
                yield return round;
        }

        if (done <= trained)
            reached();
    }

    private static void Release(List<Tensor> group)
    {
        foreach (var positions in group)
            positions.Dispose();
        group.Clear();
    }
}

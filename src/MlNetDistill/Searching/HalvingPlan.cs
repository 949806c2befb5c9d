namespace MlNetDistill.Searching;

/// <summary>
/// Successive halving (Jamieson and Talwalkar 2016; the factor 3 is that of Hyperband's experiments, Li et al. 2018): many candidates are trained with a short
/// schedule, the better third with one that is three times as long, and so on, until a few are trained in full.
/// </summary>
/// <param name="Rungs">How many candidates are trained for how many epochs, from the shortest to the full training.</param>
internal sealed record HalvingPlan(IReadOnlyList<(int Candidates, int Epochs)> Rungs)
{
    private const int Factor = 3;

    /// <summary>Epochs of all trainings.</summary>
    public long TotalEpochs => Rungs.Sum(rung => (long)rung.Candidates * rung.Epochs);

    /// <summary>The plan with as many candidates as the budget allows, at least one.</summary>
    /// <param name="candidates">Most candidates.</param>
    /// <param name="finalists">How many are trained in full.</param>
    /// <param name="fewestRungs">How many lengths even few candidates run through, if the budget suffices.</param>
    /// <param name="epochs">The fewest epochs of a training, and those of a full one.</param>
    /// <param name="budget">Most epochs of all trainings.</param>
    public static HalvingPlan Create(int candidates, int finalists, int fewestRungs, (int Fewest, int Full) epochs, double budget) =>
        new[] { fewestRungs, 1 }.SelectMany(rungs => Enumerable.Range(1, candidates).Reverse().Select(count => ForCandidates(count, finalists, rungs, epochs)))
            .FirstOrDefault(plan => plan.TotalEpochs <= budget)
        ?? ForCandidates(1, finalists, 1, epochs);

    private static HalvingPlan ForCandidates(int candidates, int finalists, int fewestRungs, (int Fewest, int Full) epochs)
    {
        List<int> counts = [candidates];
        while (counts[^1] > finalists || counts.Count < fewestRungs)
            counts.Add(Math.Min(counts[^1], Math.Max(finalists, (counts[^1] + Factor - 1) / Factor)));
        var rungs = counts.Select((count, rung) => (count, Math.Clamp((int)(epochs.Full / Math.Pow(Factor, counts.Count - 1 - rung)), epochs.Fewest, epochs.Full)));
        // Trained as long again, a candidate would give the same student.
        return new HalvingPlan([.. rungs.DistinctBy(rung => rung.Item2)]);
    }
}

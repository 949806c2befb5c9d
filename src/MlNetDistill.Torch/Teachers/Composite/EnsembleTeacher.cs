using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>
/// Several teachers as one: log Σ w_m softmax(z_m), the logarithm of the weighted mean of their probabilities. The temperature softens this mean, not the
/// members' logits.
/// </summary>
/// <param name="members">The teachers; the caller disposes them.</param>
/// <param name="weights">One per teacher, at least 0 and not all 0; scaled to sum to 1.</param>
/// <param name="caching">How the members' outputs are cached; the memory limit includes the mean.</param>
internal sealed class EnsembleTeacher(IReadOnlyList<StageTeacher> members, IReadOnlyList<double> weights, TeacherCaching caching) : StageTeacher, IDisposable
{
    private IRowSource? _set;
    private Tensor? _logits;
    private SoftenedLogits? _softened;

    public override OutputShapes Shapes { get; } = new(members[0].Shapes.LogitCount);

    public override bool SupportsAugmentation => members.All(m => m.SupportsAugmentation);

    internal override bool HasCachedOutputs => _logits is not null || members.All(m => m.HasCachedOutputs);

    internal override TimeSpan TimeOnUnqueriedRows => members.Aggregate(TimeSpan.Zero, (sum, m) => sum + m.TimeOnUnqueriedRows);

    internal override bool NeedsPassPerQuery => members.Any(m => m.NeedsPassPerQuery);

    /// <summary>The log of the weighted mean of probabilities, B×K, from each member's logits B×K.</summary>
    public static Tensor LogMean(IReadOnlyList<Tensor> logits, IReadOnlyList<double> weights)
    {
        using var scope = NewDisposeScope();
        var total = weights.Sum();
        var parts = logits.Zip(weights).Where(m => m.Second > 0).Select(m => m.First.log_softmax(1).Add(Math.Log(m.Second / total)));
        return stack([.. parts]).logsumexp(0).MoveToOuterDisposeScope();
    }

    internal override bool SharesPreview => members.Any(m => m.SharesPreview);

    internal override void BeginPreview(IRowSource set, ModelOutputs wanted, Func<Tensor, int, Batch>? view) =>
        ForEachMember(m => m.BeginPreview(set, ModelOutputs.Logits, view));

    internal override void DecideScores(IRowSource set, ModelOutputs wanted, Func<Tensor, int, Batch>? view) =>
        ForEachMember(m => m.DecideScores(set, ModelOutputs.Logits, view));

    public override void Begin(IRowSource set, ModelOutputs wanted, Func<Tensor, int, Batch>? view)
    {
        if (wanted == ModelOutputs.None || (ReferenceEquals(_set, set) && _logits is not null))
            return;
        ForEachMember(m => m.Begin(set, ModelOutputs.Logits, view));
        var bytes = set.Count * Shapes.LogitCount * sizeof(float);
        if (view is not null || bytes > caching.Options.MemoryLimit || !caching.Options.Keeps(ModelOutputs.Logits, augmented: false))
            return;
        _logits = ComputeAll(set);
        _softened = new SoftenedLogits(_logits, caching.Options.MemoryLimit - bytes);
        _set = set;
        // Only the mean is read from now on.
        ForEachMember(m => m.Release());
    }

    public override NetworkOutput Outputs(Batch batch, ModelOutputs wanted)
    {
        using var noGrad = no_grad();
        return new NetworkOutput(IsKept(batch) ? _logits!.index_select(0, batch.Positions) : Mean(batch));
    }

    internal override Tensor? TryGetLogProbabilities(Batch batch, double temperature) =>
        IsKept(batch) ? _softened!.Get(temperature, batch.Positions) : null;

    public override void BeginEpoch(int epoch) => ForEachMember(m => m.BeginEpoch(epoch));

    public override void End() => ForEachMember(m => m.End());

    public void Dispose()
    {
        _softened?.Dispose();
        _logits?.Dispose();
    }

    private void ForEachMember(Action<StageTeacher> action)
    {
        foreach (var member in members)
            action(member);
    }

    private bool IsKept(Batch batch) => _logits is not null && ReferenceEquals(batch.Set, _set) && batch.View == 0;

    private Tensor Mean(Batch batch)
    {
        using var scope = NewDisposeScope();
        return LogMean([.. members.Select(m => m.Outputs(batch, ModelOutputs.Logits).Logits)], weights).MoveToOuterDisposeScope();
    }

    private Tensor ComputeAll(IRowSource set)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var parts = new List<Tensor>();
        foreach (var rows in Chunks.Split(set.AllPositions(), caching.BatchSize))
        {
            using var inner = NewDisposeScope();
            parts.Add(Mean(Batch.Gather(set, rows)).MoveToOuterDisposeScope());
        }

        return cat(parts).DetachFromDisposeScope();
    }
}

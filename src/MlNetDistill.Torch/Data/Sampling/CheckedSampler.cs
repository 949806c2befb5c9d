using TorchSharp;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>
/// Checks the batches of a user-defined sampler: a held-out row in a batch, or another number of batches than the schedule expects, would make a worse student
/// without an error. The sampler receives copies of the positions, because it may write to them.
/// </summary>
internal sealed class CheckedSampler : Sampler
{
    private readonly Sampler _sampler;
    private readonly string _stage;
    private readonly IRowSource _set;
    private int _epoch;

    private CheckedSampler(Sampler sampler, string stage, IRowSource set) => (_sampler, _stage, _set) = (sampler, stage, set);

    /// <summary>The sampler, checked unless it is one of this library's, whose tests check it.</summary>
    /// <param name="sampler">The sampler.</param>
    /// <param name="stage">The name of its stage, for messages.</param>
    /// <param name="set">All rows.</param>
    public static Sampler Wrap(Sampler sampler, string stage, IRowSource set) =>
        sampler.GetType().Assembly == typeof(Sampler).Assembly ? sampler : new CheckedSampler(sampler, stage, set);

    public override void Prepare(SamplerSource source)
    {
        _epoch = 0;
        var guard = new LabelGuard(_set);
        _sampler.Prepare(source with { Training = source.Training.clone().DetachFromDisposeScope() });
        guard.Check(Subject);
    }

    public override int BatchesPerEpoch(long rows) => _sampler.BatchesPerEpoch(rows);

    public override IEnumerable<Tensor> Epoch(Tensor training, Generator generator)
    {
        _epoch++;
        using var copy = training.clone().DetachFromDisposeScope();
        using var isTrainedOn = Mask(training);
        var (expected, batches) = (BatchesPerEpoch(training.shape[0]), 0);
        var guard = new LabelGuard(_set);
        foreach (var positions in _sampler.Epoch(copy, generator) ?? throw CreateError("null instead of batches"))
        {
            // A sampler that reads labels does so before its first batch; later the teacher may have written them.
            if (batches++ == 0)
                guard.Check(Subject);
            Check(positions, isTrainedOn);
            yield return positions;
        }

        // Without any batch, the training loop throws with a better message.
        if (batches != expected && batches > 0)
        {
            throw new InvalidOperationException(Invariant(
                $"{Subject} gave {batches} batches in epoch {_epoch}, but its BatchesPerEpoch is {expected}, by which the learning rate is scheduled. Make both equal."));
        }
    }

    private string Subject => $"The sampler {_sampler.GetType().Name} of stage '{_stage}'";

    private Tensor Mask(Tensor training)
    {
        using var scope = NewDisposeScope();
        var mask = zeros(_set.Count, dtype: int64, device: training.device);
        using var yes = 1L.ToScalar();
        return mask.index_fill_(0, training, yes).DetachFromDisposeScope();
    }

    private void Check(Tensor? positions, Tensor isTrainedOn)
    {
        if (positions is null || positions.IsInvalid)
            throw CreateError(positions is null ? "a batch that is null" : "a batch that is disposed");
        if (positions.dtype != ScalarType.Int64 || positions.shape is not [> 0])
            throw CreateError($"{positions.dtype} [{string.Join(", ", positions.shape)}] as a batch");
        using var scope = NewDisposeScope();
        var (least, most) = (positions.min().item<long>(), positions.max().item<long>());
        if (least < 0 || most >= _set.Count)
            throw CreateError(Invariant($"the position {(least < 0 ? least : most)}, and there are {_set.Count} rows"));
        var isTraining = isTrainedOn.index_select(0, positions.to(isTrainedOn.device));
        if (isTraining.min().item<long>() == 0)
            throw CreateError(Invariant($"the position {positions[isTraining.argmin()].item<long>()}, whose row is held out"));
    }

    private InvalidOperationException CreateError(string found) => new(
        $"{Subject} gave {found} in epoch {_epoch.ToString(System.Globalization.CultureInfo.InvariantCulture)}. " +
        "A batch must be a vector of 64-bit integers, at least one, all from the positions that Epoch is given as training.");
}

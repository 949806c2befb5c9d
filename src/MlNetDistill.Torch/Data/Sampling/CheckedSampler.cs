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
    private readonly long _count;
    private int _epoch;

    private CheckedSampler(Sampler sampler, string stage, long count) => (_sampler, _stage, _count) = (sampler, stage, count);

    /// <summary>Wraps a user-defined sampler; those of this library are returned as they are. <paramref name="count"/> is the number of all rows.</summary>
    public static Sampler Wrap(Sampler sampler, string stage, long count) =>
        sampler.GetType().Assembly == typeof(Sampler).Assembly ? sampler : new CheckedSampler(sampler, stage, count);

    public override void Prepare(SamplerSource source) => _sampler.Prepare(source with { Training = source.Training.clone().DetachFromDisposeScope() });

    public override int BatchesPerEpoch(long rows) => _sampler.BatchesPerEpoch(rows);

    public override IEnumerable<Tensor> Epoch(Tensor training, Generator generator)
    {
        _epoch++;
        using var copy = training.clone().DetachFromDisposeScope();
        using var isTrainedOn = Mask(training);
        var (expected, batches) = (BatchesPerEpoch(training.shape[0]), 0);
        foreach (var positions in _sampler.Epoch(copy, generator) ?? throw CreateError("null instead of batches"))
        {
            Check(positions, isTrainedOn);
            batches++;
            yield return positions;
        }

        // Without any batch, the training loop throws with a better message.
        if (batches != expected && batches > 0)
        {
            throw new InvalidOperationException(Invariant(
                $"The sampler {Name} of stage '{_stage}' gave {batches} batches in epoch {_epoch}, but its BatchesPerEpoch is {expected}, by which the learning rate is scheduled. Make both equal."));
        }
    }

    private string Name => _sampler.GetType().Name;

    private Tensor Mask(Tensor training)
    {
        using var scope = NewDisposeScope();
        var mask = zeros(_count, dtype: int64, device: training.device);
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
        if (least < 0 || most >= _count)
            throw CreateError(Invariant($"the position {(least < 0 ? least : most)}, and there are {_count} rows"));
        var isTraining = isTrainedOn.index_select(0, positions.to(isTrainedOn.device));
        if (isTraining.min().item<long>() == 0)
            throw CreateError(Invariant($"the position {positions[isTraining.argmin()].item<long>()}, whose row is held out"));
    }

    private InvalidOperationException CreateError(string found) => new(
        $"The sampler {Name} of stage '{_stage}' gave {found} in epoch {_epoch.ToString(System.Globalization.CultureInfo.InvariantCulture)}. " +
        "A batch must be a vector of 64-bit integers, at least one, all from the positions that Epoch is given as training.");
}

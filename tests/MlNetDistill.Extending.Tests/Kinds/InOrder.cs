using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Extending.Tests.Kinds;

/// <summary>Rows in the order of the data, the last batch as small as it may be.</summary>
/// <param name="Batches">At most so many in an epoch.</param>
/// <param name="Spoil">Changes a batch, for tests of errors.</param>
/// <param name="Says">What BatchesPerEpoch says where that is wrong.</param>
/// <param name="Prepared">Does something to the rows, before the first batch.</param>
/// <param name="Late">Whether it does so in the first epoch instead of in Prepare.</param>
internal sealed record InOrder(
    int Batches = int.MaxValue, Func<Tensor, Tensor?>? Spoil = null, int? Says = null, Action<IRowSource>? Prepared = null, bool Late = false) : BatchSampling
{
    public override Sampler Create(int batchSize) => new Ordered(batchSize, this);

    private sealed class Ordered(int batchSize, InOrder settings) : Sampler
    {
        private IRowSource? _rows;

        public override void Prepare(SamplerSource source)
        {
            _rows = source.Set;
            if (!settings.Late)
                settings.Prepared?.Invoke(_rows);
        }

        public override int BatchesPerEpoch(long rows) => settings.Says ?? Given(rows);

        public override IEnumerable<Tensor> Epoch(Tensor training, Generator generator)
        {
            if (settings.Late)
                settings.Prepared?.Invoke(_rows!);
            for (var batch = 0; batch < Given(training.shape[0]); batch++)
            {
                var start = batch * (long)batchSize;
                using var positions = training.narrow(0, start, Math.Min(batchSize, training.shape[0] - start)).DetachFromDisposeScope();
                yield return settings.Spoil is { } spoil ? spoil(positions)! : positions;
            }
        }

        private int Given(long rows) => (int)Math.Min(settings.Batches, (rows + batchSize - 1) / batchSize);
    }
}

using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Extending.Tests.Kinds;

/// <summary>Rows in the order of the data, the last batch as small as it may be.</summary>
internal sealed record InOrder(int Batches = int.MaxValue) : BatchSampling
{
    public override Sampler Create(int batchSize) => new Ordered(batchSize, Batches);

    private sealed class Ordered(int batchSize, int batches) : Sampler
    {
        public override int BatchesPerEpoch(long rows) => (int)Math.Min(batches, (rows + batchSize - 1) / batchSize);

        public override IEnumerable<Tensor> Epoch(Tensor training, Generator generator)
        {
            for (var batch = 0; batch < BatchesPerEpoch(training.shape[0]); batch++)
            {
                var start = batch * (long)batchSize;
                using var positions = training.narrow(0, start, Math.Min(batchSize, training.shape[0] - start)).DetachFromDisposeScope();
                yield return positions;
            }
        }
    }
}

using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>
/// Another sampling with a given number of steps in an epoch, however many rows there are: within a stage its batches follow each other across the ends of its
/// own epochs. So a network that learns from fewer rows than another one has as many steps and epochs.
/// </summary>
/// <param name="Rows">The sampling of the batches.</param>
/// <param name="StepsPerEpoch">Steps in an epoch, at least 1.</param>
internal sealed record FixedStepsSampling(BatchSampling Rows, int StepsPerEpoch) : BatchSampling
{
    public override IEnumerable<string> Validate(int batchSize) => [.. Rows.Validate(batchSize), .. Faults.AtLeast(1, nameof(StepsPerEpoch), StepsPerEpoch)];

    public override bool NeedsTeacher => Rows.NeedsTeacher;

    public override bool NeedsLabels => Rows.NeedsLabels;

    public override Sampler Create(int batchSize) => new FixedStepsSampler(Rows.Create(batchSize), StepsPerEpoch);

    internal override long RowsPerBatch(int batchSize, long rows) => Rows.RowsPerBatch(batchSize, rows);

    internal override void Check(IRowSource set, Tensor training, int batchSize) => Rows.Check(set, training, batchSize);

    private sealed class FixedStepsSampler(Sampler sampler, int steps) : Sampler
    {
        private IEnumerator<Tensor>? _batches;

        // A stage that is continued, or that goes back, draws its batches again from here on; so those of the stage before must not matter.
        public override void Prepare(SamplerSource source)
        {
            _batches?.Dispose();
            _batches = null;
            sampler.Prepare(source);
        }

        public override int BatchesPerEpoch(long rows) => steps;

        internal override Sampler ForLoss(bool comparesRows) => With(sampler.ForLoss(comparesRows));

        internal override Sampler ForRows(IRowSource rows) => With(sampler.ForRows(rows));

        private Sampler With(Sampler own) => ReferenceEquals(own, sampler) ? this : new FixedStepsSampler(own, steps);

        public override IEnumerable<Tensor> Epoch(Tensor training, Generator generator)
        {
            for (var step = 0; step < steps; step++)
            {
                if (_batches?.MoveNext() != true)
                {
                    _batches?.Dispose();
                    _batches = sampler.Epoch(training, generator).GetEnumerator();
                    // The training loop throws where a sampler has no batch at all.
                    if (!_batches.MoveNext())
                        yield break;
                }

                yield return _batches.Current;
            }
        }
    }
}

using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>Divides the training rows into batches, epoch by epoch.</summary>
public abstract class Sampler
{
    /// <summary>Called before the first epoch of a stage; for samplers that use labels or the teacher's outputs, or that remember something from epoch to epoch.</summary>
    /// <remarks>
    /// Where training goes back to the end of an earlier epoch, this is called again, and the epochs up to there are drawn again: a sampler that remembers something forgets it here.
    /// </remarks>
    /// <param name="source">The rows and the teacher's outputs.</param>
    /// <exception cref="InvalidOperationException">The rows cannot be sampled in this way; the message says why.</exception>
    public virtual void Prepare(SamplerSource source) { }

    /// <summary>Number of batches of an epoch with <paramref name="rows"/> rows.</summary>
    public abstract int BatchesPerEpoch(long rows);

    /// <summary>The positions of each batch of one epoch, drawn with <paramref name="generator"/>.</summary>
    /// <param name="training">Positions of the training rows.</param>
    /// <param name="generator">The run's generator for shuffling; a CPU generator.</param>
    public abstract IEnumerable<Tensor> Epoch(Tensor training, Generator generator);

    /// <summary>Whether the batches of an epoch depend on those of the epochs before, apart from the generator. Those of a training that was interrupted, or that goes back to an earlier epoch, are
    /// then drawn again.</summary>
    internal virtual bool KeepsState => true;

    /// <summary>The sampler for a loss: whether all batches must have the same number of rows depends on whether the loss compares the rows of a batch.</summary>
    internal virtual Sampler ForLoss(bool comparesRows) => this;

    /// <summary>The sampler for these rows: some are read in blocks.</summary>
    internal virtual Sampler ForRows(IRowSource rows) => this;
}

/// <summary>
/// Every row once an epoch, in random order. Where the rows are no multiple of the batch size, they are divided evenly among ⌈rows / batch size⌉ batches, so that no
/// batch is small: the rows of a small one would have more weight than others, and its batch statistics would be poor.
/// </summary>
/// <param name="batchSize">Most rows of a batch, at least 1.</param>
/// <param name="isExact">
/// Whether every batch has exactly <paramref name="batchSize"/> rows, for losses that compare the rows of a batch. The rows that are left over are then not used in
/// that epoch; the order changes every epoch, so no row is left out for long. If there are fewer rows than that, all are one batch.
/// </param>
public sealed class ShuffledSampler(int batchSize, bool isExact = false) : Sampler
{
    private IRowSource? _rows;

    internal override bool KeepsState => false;

    /// <inheritdoc/>
    public override int BatchesPerEpoch(long rows) => (int)Math.Max(1, isExact ? rows / batchSize : (rows + batchSize - 1) / batchSize);

    /// <inheritdoc/>
    public override IEnumerable<Tensor> Epoch(Tensor training, Generator generator)
    {
        var rows = training.shape[0];
        var batches = BatchesPerEpoch(rows);
        // Fewer than all only where batches are exact.
        var used = Math.Min(rows, (long)batches * batchSize);
        var order = Shuffled(training, generator);
        using var positions = order.Positions;
        var window = 0;
        for (long batch = 0; batch < batches; batch++)
        {
            var (from, to) = (batch * used / batches, (batch + 1) * used / batches);
            // While the rows of a window are trained on, those of the next are read.
            for (; window < order.Windows.Count && order.Windows[window].Start < to; window++)
                (_rows as IReadAhead)?.ReadAhead(window + 1 < order.Windows.Count ? order.Windows[window + 1].Blocks : []);
            using var slice = positions.narrow(0, from, to - from).DetachFromDisposeScope();
            yield return slice;
        }
    }

    // Exact batches that were asked for stay so, whatever the loss.
    internal override Sampler ForLoss(bool comparesRows) => isExact || !comparesRows ? this : new ShuffledSampler(batchSize, isExact: true) { _rows = _rows };

    internal override Sampler ForRows(IRowSource rows) => rows.Blocks is null ? this : new ShuffledSampler(batchSize, isExact) { _rows = rows };

    private BlockOrder Shuffled(Tensor training, Generator generator)
    {
        using var scope = NewDisposeScope();
        var order = _rows is { Blocks: { } blocks }
            ? BlockOrder.Shuffle(training, blocks, generator)
            : new BlockOrder(training.index_select(0, randperm(training.shape[0], device: CPU, generator: generator).to(training.device)), []);
        order.Positions.DetachFromDisposeScope();
        return order;
    }
}

/// <summary>What a sampler may use before training.</summary>
/// <param name="Set">The rows.</param>
/// <param name="Training">Positions of the training rows, 64-bit.</param>
/// <param name="Generator">The run's generator for shuffling; a CPU generator.</param>
/// <param name="TeacherVectors">
/// Computes the teacher's embeddings (if it has none, its logits minus their row mean) for positions of the set: rows×D, scaled to unit length, on the set's
/// device. Null if the stage has no teacher.
/// </param>
public sealed record SamplerSource(IRowSource Set, Tensor Training, Generator Generator, Func<Tensor, Tensor>? TeacherVectors = null)
{
    /// <summary>Number of rows.</summary>
    public override string ToString() => $"{Training.shape[0]} of {Set.Count} rows";
}

using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>Divides the training rows into batches, epoch by epoch.</summary>
public abstract class Sampler
{
    /// <summary>Called before the first epoch of a stage; for samplers that use labels or the teacher's outputs.</summary>
    /// <param name="source">The rows and the teacher's outputs.</param>
    /// <exception cref="InvalidOperationException">The rows cannot be sampled in this way; the message says why.</exception>
    public virtual void Prepare(SamplerSource source) { }

    /// <summary>Number of batches of an epoch with <paramref name="rows"/> rows.</summary>
    public abstract int BatchesPerEpoch(long rows);

    /// <summary>The positions of each batch of one epoch, drawn with <paramref name="generator"/>.</summary>
    /// <param name="training">Positions of the training rows.</param>
    /// <param name="generator">The run's generator for shuffling; a CPU generator.</param>
    public abstract IEnumerable<Tensor> Epoch(Tensor training, Generator generator);
}

/// <summary>
/// Every row once an epoch, in random order. An incomplete last batch is left out: its few rows would have more weight than others, and its batch statistics
/// would be poor. The order changes every epoch, so no row is left out for long.
/// </summary>
/// <param name="batchSize">Rows of a batch, at least 1; all rows if there are fewer.</param>
public sealed class ShuffledSampler(int batchSize) : Sampler
{
    /// <inheritdoc/>
    public override int BatchesPerEpoch(long rows) => (int)Math.Max(1, rows / batchSize);

    /// <inheritdoc/>
    public override IEnumerable<Tensor> Epoch(Tensor training, Generator generator)
    {
        var rows = training.shape[0];
        var size = Math.Min(batchSize, rows);
        using var positions = Shuffled(training, generator);
        for (var batch = 0; batch < BatchesPerEpoch(rows); batch++)
        {
            using var slice = positions.narrow(0, batch * size, size).DetachFromDisposeScope();
            yield return slice;
        }
    }

    private static Tensor Shuffled(Tensor rows, Generator generator)
    {
        using var scope = NewDisposeScope();
        var order = randperm(rows.shape[0], device: CPU, generator: generator).to(rows.device);
        return rows.index_select(0, order).DetachFromDisposeScope();
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

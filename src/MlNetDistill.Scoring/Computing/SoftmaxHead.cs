using System.Buffers;

namespace MlNetDistill.Computing;

/// <summary>The last layer of a classifier: probabilities, with the bits of ML.NET's maximum-entropy model.</summary>
/// <param name="layer">The layer before the softmax; null where what the network gives are the logits.</param>
/// <param name="classes">Number of classes.</param>
internal sealed class SoftmaxHead(LinearLayer? layer, int classes) : StudentHead
{
    // The logits of so many rows stay in the processor's first cache.
    private const int RowsTogether = 32;
    private readonly int _stride = LinearLayer.StrideOf(classes);

    public override int EmbeddingLength => layer?.Inputs ?? classes;

    public override int ScoreLength => classes;

    public override void Compute(ReadOnlySpan<float> embeddings, int rows, Span<float> scores)
    {
        var rented = ArrayPool<float>.Shared.Rent(RowsTogether * _stride);
        var scratch = ArrayPool<double>.Shared.Rent(_stride);
        try
        {
            var logits = rented.AsSpan(0, RowsTogether * _stride);
            for (var start = 0; start < rows; start += RowsTogether)
            {
                var count = Math.Min(RowsTogether, rows - start);
                ComputeLogits(embeddings.Slice(start * EmbeddingLength, count * EmbeddingLength), count, logits);
                for (var row = 0; row < count; row++)
                    Softmax.Compute(logits.Slice(row * _stride, _stride), scratch, scores.Slice((start + row) * classes, classes));
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(rented);
            ArrayPool<double>.Shared.Return(scratch);
        }
    }

    private void ComputeLogits(ReadOnlySpan<float> embeddings, int rows, Span<float> logits)
    {
        if (layer is not null)
        {
            layer.Compute(embeddings, rows, logits);
            return;
        }

        for (var row = 0; row < rows; row++)
            embeddings.Slice(row * classes, classes).CopyTo(logits[(row * _stride)..]);
    }
}

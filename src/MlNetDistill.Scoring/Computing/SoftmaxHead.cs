using System.Buffers;

namespace MlNetDistill.Computing;

/// <summary>The last layer of a classifier: probabilities, with the bits of ML.NET's maximum-entropy model.</summary>
internal sealed class SoftmaxHead(float[][] weights, float[] biases) : StudentHead
{
    // The logits of so many rows stay in the processor's first cache.
    private const int RowsTogether = 32;
    private readonly LinearLayer _layer = new(weights, biases);

    public override int EmbeddingLength => _layer.Inputs;

    public override int ScoreLength => _layer.Outputs;

    public override void Compute(ReadOnlySpan<float> embeddings, int rows, Span<float> scores)
    {
        var (stride, classes) = (_layer.Stride, _layer.Outputs);
        var rented = ArrayPool<float>.Shared.Rent(RowsTogether * stride);
        var scratch = ArrayPool<double>.Shared.Rent(stride);
        try
        {
            var logits = rented.AsSpan(0, RowsTogether * stride);
            for (var start = 0; start < rows; start += RowsTogether)
            {
                var count = Math.Min(RowsTogether, rows - start);
                _layer.Compute(embeddings.Slice(start * _layer.Inputs, count * _layer.Inputs), count, logits);
                for (var row = 0; row < count; row++)
                    Softmax.Compute(logits.Slice(row * stride, stride), scratch, scores.Slice((start + row) * classes, classes));
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(rented);
            ArrayPool<double>.Shared.Return(scratch);
        }
    }
}

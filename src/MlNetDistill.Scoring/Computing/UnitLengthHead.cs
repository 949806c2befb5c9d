using System.Numerics.Tensors;

namespace MlNetDistill.Computing;

/// <summary>
/// What follows a student of embeddings: each is scaled to length 1, as by ML.NET's normalizer. That one adds the squares in another order, so the last bit can differ.
/// </summary>
internal sealed class UnitLengthHead(int length) : StudentHead
{
    // ML.NET leaves longer vectors as they are.
    private const float LeastScale = 1e-8f;

    public override int EmbeddingLength => length;

    public override int ScoreLength => length;

    public override void Compute(ReadOnlySpan<float> embeddings, int rows, Span<float> scores)
    {
        for (var row = 0; row < rows; row++)
        {
            var embedding = embeddings.Slice(row * length, length);
            var norm = (float)Math.Sqrt(TensorPrimitives.SumOfSquares(embedding));
            var scale = norm > 0 ? 1 / norm : 1;
            TensorPrimitives.Multiply(embedding, scale < LeastScale ? 1 : scale, scores.Slice(row * length, length));
        }
    }
}

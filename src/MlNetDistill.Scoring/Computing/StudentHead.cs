namespace MlNetDistill.Computing;

/// <summary>What comes after a student's ONNX model: from embeddings to scores.</summary>
internal abstract class StudentHead
{
    /// <summary>Length of an embedding.</summary>
    public abstract int EmbeddingLength { get; }

    /// <summary>Number of scores of a row.</summary>
    public abstract int ScoreLength { get; }

    /// <summary>Computes the scores of some rows.</summary>
    /// <param name="embeddings">Row after row.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="scores">Gets the scores, row after row.</param>
    public abstract void Compute(ReadOnlySpan<float> embeddings, int rows, Span<float> scores);
}

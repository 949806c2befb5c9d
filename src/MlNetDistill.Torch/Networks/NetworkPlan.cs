namespace MlNetDistill.Networks;

/// <summary>The blocks of a network between its input and its last layer.</summary>
/// <param name="Body">Blocks from the scaled input to the embedding.</param>
/// <param name="Taps">Indices of the blocks after which a stage feature is taken.</param>
/// <param name="EmbeddingLength">Length of the embedding.</param>
public sealed record NetworkPlan(IReadOnlyList<Block> Body, IReadOnlyList<int> Taps, int EmbeddingLength)
{
    /// <summary>
    /// Whether the body already ends in the logits, for a network whose last layer is not a single linear layer. Its embedding is then its logits, one per class,
    /// and its last layer is an identity without parameters.
    /// </summary>
    public bool EndsInLogits { get; private init; }

    /// <summary>Its size.</summary>
    public override string ToString() => $"{Body.Count} blocks, {Taps.Count} taps, {(EndsInLogits ? "logits of" : "an embedding of")} {EmbeddingLength}";

    /// <summary>The plan of a network whose body ends in the <paramref name="logitCount"/> logits.</summary>
    public static NetworkPlan EndingInLogits(IReadOnlyList<Block> body, IReadOnlyList<int> taps, int logitCount)
    {
        ArgumentNullException.ThrowIfNull(body);
        ArgumentNullException.ThrowIfNull(taps);
        return new(body, taps, logitCount) { EndsInLogits = true };
    }
}

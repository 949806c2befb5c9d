using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>What a network or a teacher can give for a batch.</summary>
[Flags]
public enum OutputKinds
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Scores before softmax, B×K.</summary>
    Logits = 1,

    /// <summary>The pooled vector before the last layer, B×D.</summary>
    Embedding = 2,

    /// <summary>The maps after each stage of the backbone.</summary>
    StageFeatures = 4,
}

/// <summary>The outputs of one forward pass.</summary>
/// <param name="Logits">Scores before softmax, B×K.</param>
/// <param name="Embedding">The vector the last layer reads, B×D; null where it was not asked for.</param>
/// <param name="StageFeatures">Maps after the stages, from input to output; empty where they were not asked for.</param>
public sealed record NetworkOutput(Tensor Logits, Tensor? Embedding, IReadOnlyList<Tensor> StageFeatures)
{
    internal static NetworkOutput OfLogits(Tensor logits) => new(logits, null, []);
}

using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>One vector for each row, from whichever output a relational loss compares.</summary>
internal static class RowFeatures
{
    // Below this length single precision leaves a vector no direction that means anything.
    private const double NoLength = 1e-6;

    /// <summary>
    /// The embeddings, or the logits less their mean: logits mean the same whatever constant is added to a row, a network's have one and the
    /// logarithms of a forest's probabilities another.
    /// </summary>
    public static Tensor Select(NetworkOutput output, ModelOutputs on) => Select(on == ModelOutputs.Embedding ? output.Embedding : output.Logits, on);

    public static Tensor Select(Tensor values, ModelOutputs on) => on == ModelOutputs.Embedding ? values : values.sub(values.mean([1], true));

    /// <summary>The lengths of those vectors in a network or a teacher.</summary>
    public static int Length(OutputShapes shapes, ModelOutputs on, DistillationLoss loss) => on == ModelOutputs.Logits
        ? shapes.Classes
        : shapes.EmbeddingLength ?? throw new InvalidOperationException($"The loss '{loss.Name}' compares embeddings, and the student or the teacher has none.");

    public static ModelOutputs Validate(ModelOutputs on, string parameter) => on is ModelOutputs.Embedding or ModelOutputs.Logits
        ? on
        : throw new ArgumentOutOfRangeException(parameter, on, "The loss compares one vector for each row: the Embedding or the Logits.");

    /// <summary>
    /// x / ‖x‖ along the last axis. A vector without length has no direction: it stays 0 and gets no gradient, where x / max(‖x‖, 1e-12) would
    /// send it one of 1e12.
    /// </summary>
    public static Tensor NormalizeRows(this Tensor features)
    {
        var length = features.norm((int)features.dim() - 1, true, 2);
        return features.div(length.MaskedFill(length.IsAtMost(NoLength), double.PositiveInfinity));
    }
}

using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>One vector per row: the output that a relational loss compares.</summary>
internal static class RowFeatures
{
    /// <summary>
    /// The embeddings, or the logits minus their row mean. Adding a constant to a row of logits changes no probability, and models differ in it: a
    /// network's logits have one constant, the logarithms of a forest's probabilities another.
    /// </summary>
    public static Tensor Select(NetworkOutput output, ModelOutputs on) => Select(on == ModelOutputs.Embedding ? output.Embedding : output.Logits, on);

    public static Tensor Select(Tensor values, ModelOutputs on) => on == ModelOutputs.Embedding ? values : values.sub(values.mean([1], true));

    /// <summary>The length of these vectors in a network or a teacher.</summary>
    public static int Length(OutputShapes shapes, ModelOutputs on, DistillationLoss loss) => on == ModelOutputs.Logits
        ? shapes.LogitCount
        : shapes.EmbeddingLength ?? throw new InvalidOperationException($"The loss '{loss.Name}' compares embeddings, but the student or the teacher has none. Use on: ModelOutputs.Logits, or a teacher that gives embeddings.");

    public static ModelOutputs Validate(ModelOutputs on, string parameter) => on is ModelOutputs.Embedding or ModelOutputs.Logits
        ? on
        : throw new ArgumentOutOfRangeException(parameter, on, "The loss compares one vector per row: choose the Embedding or the Logits.");
}

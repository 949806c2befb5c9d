using MlNetDistill.Core;

namespace MlNetDistill;

/// <summary>Names of an ONNX model's outputs.</summary>
/// <param name="Logits">The class scores, N×K; null for the model's only output or the one called "logits".</param>
/// <param name="Embedding">The embedding, N×D; null for none.</param>
/// <param name="StageFeatures">Maps N×C×H×W or vectors N×D after the stages, from input to output; null for none.</param>
public sealed record OnnxOutputs(string? Logits = null, string? Embedding = null, IReadOnlyList<string>? StageFeatures = null)
{
    /// <summary>Whether <see cref="Logits"/> are the embeddings of an <see cref="EmbeddingTeacher"/>.</summary>
    internal bool AreEmbeddings { get; init; }

    /// <summary>An output as the user names it.</summary>
    /// <param name="output">The name of a property.</param>
    internal string OptionOf(string output) => !AreEmbeddings ? $"{nameof(OnnxOutputs)}.{output}" : output == nameof(Logits) ? "outputName" : "stageFeatures";

    /// <summary>Its settings, in a line where they fit in one.</summary>
    public override string ToString() => SettingText.Describe(this);
}

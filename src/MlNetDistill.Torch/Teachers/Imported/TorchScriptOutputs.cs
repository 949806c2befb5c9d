using MlNetDistill.Core;

namespace MlNetDistill.Teachers;

/// <summary>The meaning of the tensors that the forward of a TorchScript file returns, a single tensor or a tuple or list; positions from 0.</summary>
/// <param name="Logits">The class scores, N×K.</param>
/// <param name="Embedding">The embedding, N×D; null for none.</param>
/// <param name="StageFeatures">Maps N×C×H×W or vectors N×D after the stages, from input to output; null for none.</param>
public sealed record TorchScriptOutputs(int Logits = 0, int? Embedding = null, IReadOnlyList<int>? StageFeatures = null)
{
    /// <summary>Its settings, in a line where they fit in one.</summary>
    public override string ToString() => SettingText.Describe(this);
}

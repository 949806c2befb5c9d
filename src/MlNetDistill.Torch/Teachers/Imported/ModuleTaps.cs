using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>Parts of a TorchSharp module whose outputs are used as embedding and stage features.</summary>
/// <param name="Embedding">The part that gives the embedding, N×D (or N×D×1×1); null for none.</param>
/// <param name="StageFeatures">The parts that give the stage features, N×C×H×W or N×D, from input to output; null for none.</param>
/// <remarks>A part must run exactly once in a pass, by <c>call</c>, as <c>Sequential</c> does, not by <c>forward</c>.</remarks>
public sealed record ModuleTaps(nn.Module<Tensor, Tensor>? Embedding = null, IReadOnlyList<nn.Module<Tensor, Tensor>>? StageFeatures = null)
{
    /// <summary>Whether the module gives embeddings and no class scores.</summary>
    internal bool AreOfEmbeddings { get; init; }

    /// <summary>Its settings, in a line where they fit in one.</summary>
    public override string ToString() => SettingText.Describe(this);
}

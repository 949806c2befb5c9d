using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>Rows of any shape as vectors: B×C×H×W to B×(C·H·W).</summary>
public sealed class Flatten : Block, IGradientBlock
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => input.flatten(1);

    /// <inheritdoc/>
    public override string Emit(OnnxGraph graph, string input) => graph.Add("Flatten", [input], ("axis", 1L));

    bool IGradientBlock.Trains => false;

    Tensor? IGradientBlock.Backward(Tensor input, Tensor output, Tensor gradient, bool needsInput) => needsInput ? gradient.view_as(input) : null;
}

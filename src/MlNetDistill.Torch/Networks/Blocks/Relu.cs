using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Networks;

/// <summary>The rectifier max(x, 0).</summary>
public sealed class Relu : Block, IGradientBlock
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => functional.relu(input);

    /// <inheritdoc/>
    public override string Emit(OnnxGraph graph, string input) => graph.Add("Relu", [input]);

    bool IGradientBlock.Trains => false;

    // The sign of the output, 0 or 1, is the derivative; to multiply by it is faster than by a mask of booleans.
    Tensor? IGradientBlock.Backward(Tensor input, Tensor output, Tensor gradient, bool needsInput) => needsInput ? gradient.mul_(output.sign_()) : null;
}

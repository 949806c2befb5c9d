using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Networks;

/// <summary>The rectifier max(x, 0).</summary>
public sealed class Relu : Block
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => functional.relu(input);

    /// <inheritdoc/>
    public override string Emit(OnnxGraph graph, string input) => graph.Add("Relu", [input]);
}

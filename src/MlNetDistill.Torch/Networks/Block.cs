using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>
/// A piece of a network that knows its forward pass and its ONNX form. Both must compute the same function in eval mode; every network is
/// checked for that before it is trained.
/// </summary>
public abstract class Block : nn.Module<Tensor, Tensor>
{
    /// <summary>A block named after its type.</summary>
    protected Block() : base("block") { }

    /// <summary>Writes the block's eval-mode computation into <paramref name="graph"/>.</summary>
    /// <param name="graph">The graph under construction.</param>
    /// <param name="input">Name of the tensor the block reads.</param>
    /// <returns>Name of the tensor the block writes.</returns>
    public abstract string Emit(OnnxGraph graph, string input);
}

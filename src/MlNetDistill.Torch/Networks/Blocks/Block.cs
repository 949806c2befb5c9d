using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>
/// A part of a network with its forward pass and its ONNX form. Both must compute the same function in eval mode; this is checked for every network before
/// training.
/// </summary>
/// <remarks>
/// For a block of your own: draw parameters with <see cref="WeightInitialization.Uniform"/>, keep them and any inner blocks in fields, and call
/// <c>RegisterComponents()</c> at the end of the constructor. For arithmetic with numbers use
/// <see cref="TensorArithmetic"/>: TorchSharp 0.107 may free the number in <c>x.mul(2)</c>, and the hidden factor 1 in <c>x.add(y)</c>, while native code still reads
/// it. A map that a block reads may have its channels last in memory: use <c>reshape</c> or <c>flatten</c> instead of <c>view</c>.
/// </remarks>
public abstract class Block : nn.Module<Tensor, Tensor>
{
    /// <summary>A block named after its type.</summary>
    protected Block() : base(Name()) { }

    /// <summary>Writes the block's eval-mode computation into <paramref name="graph"/>.</summary>
    /// <param name="graph">The graph under construction.</param>
    /// <param name="input">Name of the tensor the block reads.</param>
    /// <returns>Name of the tensor the block writes.</returns>
    public abstract string Emit(OnnxGraph graph, string input);

    private static string Name()
    {
        // The base constructor calls into torch.
        TorchLibrary.EnsureLoaded();
        return "block";
    }
}

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
/// it. A block of your own reads maps in the usual order in memory, and 32-bit floats: in training with <see cref="TrainingPrecision.BFloat16"/> it and the blocks inside
/// it compute in 32-bit floats. What a <see cref="Convolution"/> inside it returns may have its channels last: call
/// <c>contiguous()</c> before <c>view</c>, and before a convolution of TorchSharp.
/// </remarks>
public abstract class Block : nn.Module<Tensor, Tensor>
{
    private readonly bool _isOurs;

    /// <summary>A block named after its type.</summary>
    protected Block()
        : base(Name()) => _isOurs = GetType().Assembly == typeof(Block).Assembly;

    /// <summary>Writes the block's eval-mode computation into <paramref name="graph"/>.</summary>
    /// <param name="graph">The graph under construction.</param>
    /// <param name="input">Name of the tensor the block reads.</param>
    /// <returns>Name of the tensor the block writes.</returns>
    public abstract string Emit(OnnxGraph graph, string input);

    /// <summary>
    /// The forward pass. Blocks of other assemblies compute in 32-bit floats, as their parameters are, and get maps in the usual order in memory, on which their <c>view</c>
    /// or convolution may rely.
    /// </summary>
    internal Tensor Run(Tensor input)
    {
        if (_isOurs || (input.is_contiguous() && !LayerPrecision.IsBFloat16))
            return forward(input);
        var wide = LayerPrecision.Widen(input);
        var read = wide.contiguous();
        if (!ReferenceEquals(wide, input))
            wide.Dispose();
        using var layers = LayerPrecision.Use(TrainingPrecision.Float32);
        var output = forward(read);
        if (!ReferenceEquals(output, read))
            read.Dispose();
        return output;
    }

    private static string Name()
    {
        // The base constructor calls into torch.
        TorchLibrary.EnsureLoaded();
        return "block";
    }
}

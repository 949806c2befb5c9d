using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>
/// Any TorchSharp module together with its ONNX form. The module's parameters and buffers train, move between devices, save and load with the
/// network. Like every network, one with such a block is compared with its ONNX form before it is trained and again afterwards.
/// </summary>
/// <remarks>
/// TorchSharp's modules draw their initial weights from the process-wide generator: the student is the same for the same seed only if the
/// application seeds that one (<c>torch.manual_seed</c>) before each fit, or if the weights are drawn again with <see cref="WeightInitialization.Reinitialize"/>.
/// Moving a module makes new tensors of its parameters, so write the ONNX form from the module (<c>graph.Constant(linear.weight)</c>), not from
/// tensors taken from it beforehand. The module computes in 32-bit floats, in training with <see cref="TrainingPrecision.BFloat16"/> too.
/// </remarks>
public sealed class ModuleBlock : Block
{
    private readonly nn.Module<Tensor, Tensor> _module;
    private readonly Func<OnnxGraph, string, string> _emit;

    /// <summary>A block that computes <paramref name="module"/>.</summary>
    /// <param name="module">The module; the network disposes it.</param>
    /// <param name="emit">
    /// Writes the module's eval-mode computation, with its weights as they are at that moment: from the graph and the name of the tensor read to
    /// the name of the tensor written; see <see cref="Block.Emit"/>.
    /// </param>
    public ModuleBlock(nn.Module<Tensor, Tensor> module, Func<OnnxGraph, string, string> emit)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(emit);
        (_module, _emit) = (module, emit);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        // Modules have parameters of 32-bit floats, and may assume the usual order in memory, which convolutions do not keep.
        var wide = LayerPrecision.Widen(input);
        using var layers = LayerPrecision.Use(TrainingPrecision.Float32);
        var read = wide.is_contiguous() ? wide : wide.contiguous();
        var output = _module.call(read);
        return ReferenceEquals(output, input) ? input : output.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override string Emit(OnnxGraph graph, string input) => _emit(graph, input);

    /// <summary>Moves weights away from their initial values, which may be zeros and ones.</summary>
    internal void PerturbWeights(Generator generator)
    {
        foreach (var parameter in _module.parameters())
            parameter.AddInPlace(empty_like(parameter).normal_(0, 0.1, generator));
    }
}

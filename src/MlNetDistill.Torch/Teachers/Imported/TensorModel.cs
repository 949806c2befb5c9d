using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>An imported model that maps tensors to tensors: an ONNX file, a TorchScript file, a module.</summary>
internal abstract class TensorModel : IDisposable
{
    /// <summary>Its name in messages: a file in quotes, or the name of a module's type.</summary>
    public abstract string Name { get; }

    /// <summary>The shapes of its outputs, in its own order of classes.</summary>
    public abstract OutputShapes Shapes { get; }

    /// <summary>A hash, in hexadecimal, of everything its outputs depend on: its bytes or weights, which outputs are used, how the input is prepared.</summary>
    public abstract string ContentHash { get; }

    /// <summary>Its outputs, at least the <paramref name="wanted"/>, as 32-bit floats without gradient on the rows' device, in the current dispose scope.</summary>
    /// <param name="rows">B×(shape of a row), as the training set has them: bytes or 32-bit floats.</param>
    /// <param name="wanted">The outputs to compute. <see cref="NetworkOutput.Logits"/> are its raw class scores, which may be probabilities.</param>
    public abstract NetworkOutput ComputeOutputs(Tensor rows, ModelOutputs wanted);

    /// <inheritdoc/>
    public abstract void Dispose();
}

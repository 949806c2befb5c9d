using MlNetDistill.Networks;

namespace MlNetDistill;

/// <summary>
/// A network and its ONNX form do not compute the same function, so no ML.NET model was made of it. After training, the exception carries
/// the trained weights.
/// </summary>
public sealed class StudentExportException : InvalidOperationException
{
    internal StudentExportException(string message, NetworkSpec spec, byte[]? weights)
        : base(message)
    {
        Spec = spec;
        Weights = weights;
    }

    /// <summary>The network's description.</summary>
    public NetworkSpec Spec { get; }

    /// <summary>The trained weights in TorchSharp's module format (<c>Module.load</c>), or null if the check failed before training.</summary>
    public byte[]? Weights { get; }
}

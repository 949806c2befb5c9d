using MlNetDistill.Networks;

namespace MlNetDistill;

/// <summary>
/// No ML.NET model could be made of a network: its ONNX form does not compute the same function, or could not be written. After training,
/// the exception carries the trained weights.
/// </summary>
public sealed class StudentExportException : InvalidOperationException
{
    internal StudentExportException(string message, NetworkSpec spec, byte[]? weights, Exception? inner = null)
        : base(message, inner)
    {
        Spec = spec;
        Weights = weights;
    }

    /// <summary>The network's description.</summary>
    public NetworkSpec Spec { get; }

    /// <summary>The trained weights in TorchSharp's module format (<c>Module.load</c>), or null if the check failed before training.</summary>
    public byte[]? Weights { get; }
}

using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>Tensors that a source of rows owns.</summary>
internal static class SourceTensors
{
    /// <summary>The tensor on a device. If it was on another, that one is disposed.</summary>
    public static Tensor Move(Tensor tensor, Device device)
    {
        var moved = tensor.On(device);
        if (ReferenceEquals(moved, tensor))
            return tensor;
        tensor.Dispose();
        return moved.DetachFromDisposeScope();
    }
}

using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>Checks of tensors for values that are NaN or infinite. On a GPU each waits for the device.</summary>
internal static class FiniteCheck
{
    /// <summary>Whether a scalar is finite.</summary>
    /// <param name="scalar">The scalar.</param>
    /// <param name="isOnCpu">Whether it is known to be on the CPU.</param>
    public static bool IsFinite(Tensor scalar, bool isOnCpu)
    {
        // Without the number that item creates, which takes a noticeable part of a step of a small network.
        if (isOnCpu && scalar.dtype == ScalarType.Float32)
            return float.IsFinite(scalar.ReadCpuSingle(0));
        using var number = scalar.to(ScalarType.Float64);
        return double.IsFinite(number.item<double>());
    }

    /// <summary>Whether all values of all tensors are finite.</summary>
    public static bool AreFinite(IEnumerable<Tensor?> tensors)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        // Sums of 32-bit floats do not overflow 64-bit ones.
        Tensor[] sums = [.. tensors.OfType<Tensor>().Where(t => t.is_floating_point()).Select(t => t.detach().sum(ScalarType.Float64))];
        return sums.Length == 0 || double.IsFinite(stack(sums).sum().item<double>());
    }
}

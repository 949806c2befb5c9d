using System.Runtime.InteropServices;
using Microsoft.ML.Runtime;
using MlNetDistill.Diagnostics;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>Selects the precision of training.</summary>
internal static class PrecisionChoice
{
    /// <summary>The precision of the options, or 32-bit floats, with a warning, where the device does not compute in it.</summary>
    public static TrainingPrecision Select(TrainingPrecision wanted, Device device, IChannel channel)
    {
        if (wanted == TrainingPrecision.Float32 || FindFault(device) is not { } fault)
            return wanted;
        channel.Warning($"Training was to be in bfloat16, but the device {device} does not compute in it ({fault}); training is in 32-bit floats. GPUs of NVIDIA's Ampere generation and later do.");
        return TrainingPrecision.Float32;
    }

    /// <summary>Why a device does not compute a convolution and a matrix product in bfloat16, forward and backward; null if it does.</summary>
    private static string? FindFault(Device device)
    {
        using var scope = NewDisposeScope();
        using var gradients = enable_grad();
        try
        {
            // TorchSharp does not tell what a GPU can do.
            var map = ones([2, 8, 4, 4], bfloat16, device);
            var kernels = ones([8, 8, 3, 3], bfloat16, device, requires_grad: true);
            var weight = ones([8, 8], bfloat16, device, requires_grad: true);
            var values = nn.functional.linear(nn.functional.conv2d(map, kernels, padding: [1, 1]).mean([2, 3]), weight);
            values.sum().backward();
            return kernels.grad!.sum().to(float32).item<float>() is var sum && float.IsFinite(sum) ? null : $"a convolution gave {sum}";
        }
        catch (ExternalException e)
        {
            return NativeErrorMessage.Summarize(e.Message);
        }
    }
}

using Microsoft.ML.Runtime;
using MlNetDistill.Diagnostics;
using MlNetDistill.Export;
using TorchSharp;
using static System.FormattableString;

namespace MlNetDistill.Fitting;

/// <summary>Selects the device to train on.</summary>
internal static class DeviceChoice
{
    /// <summary>The device of the options, else that of the MLContext.</summary>
    /// <exception cref="InvalidOperationException">The GPU asked for is not there and falling back was not allowed.</exception>
    public static torch.Device Select(TrainingDevice? wanted, IHostEnvironment environment, IChannel channel)
    {
        var gpu = wanted is null ? InBox.GpuDeviceIdOf(environment) : wanted.GpuIndex;
        var fallback = wanted?.FallbackToCpu ?? InBox.FallbackToCpuOf(environment);
        if (gpu is not { } index)
            return torch.CPU;
        var count = torch.cuda.is_available() ? torch.cuda.device_count() : 0;
        if (index < count)
            return torch.device(DeviceType.CUDA, index);
        var found = count == 0 ? "TorchSharp finds no CUDA device" : $"TorchSharp finds {count} CUDA device(s), numbered from 0";
        if (!fallback)
        {
            throw new InvalidOperationException(
                Invariant($"Training was to run on GPU {index}, but {found}. Reference a TorchSharp CUDA package on a machine with a GPU and driver, ") +
                "or allow the CPU: FallbackToCpu of the MLContext or of TrainingDevice.Cuda, or TrainingDevice.Cpu.");
        }

        channel.Warning($"Training was to run on GPU {index}, but {found}; it runs on the CPU.");
        return torch.CPU;
    }
}

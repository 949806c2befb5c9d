using Microsoft.ML.OnnxRuntime;

namespace MlNetDistill.Teachers;

/// <summary>Creates session options for the CPU or a GPU.</summary>
internal static class OnnxDevice
{
    private const string Cuda = "CUDAExecutionProvider";

    /// <summary>Options for the device; for the CPU if the GPU is not available and the fallback is allowed. The caller disposes them.</summary>
    /// <exception cref="InvalidOperationException">The GPU is not available.</exception>
    public static (SessionOptions Options, bool Gpu) CreateOptions(TrainingDevice? device, string title, Action<string> warn)
    {
        if (device?.GpuIndex is not { } gpu)
            return (CreateCpuOptions(), false);
        try
        {
            if (!OrtEnv.Instance().GetAvailableProviders().Contains(Cuda))
                throw new InvalidOperationException($"this ONNX Runtime has no {Cuda}");
            var options = CreateCpuOptions();
            try
            {
                options.AppendExecutionProvider_CUDA(gpu);
                return (options, true);
            }
            catch
            {
                options.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is InvalidOperationException or OnnxRuntimeException or EntryPointNotFoundException or DllNotFoundException)
        {
            return (Fallback(device, title, e, warn), false);
        }
    }

    /// <summary>Options for the CPU, with a warning, if the fallback is allowed.</summary>
    public static SessionOptions Fallback(TrainingDevice device, string title, Exception inner, Action<string> warn)
    {
        if (!device.FallbackToCpu)
        {
            throw new InvalidOperationException(
                $"{title} was to run on GPU {device.GpuIndex}, but the GPU is not available: {inner.Message.Trim()}. Reference Microsoft.ML.OnnxRuntime.Gpu instead of " +
                "Microsoft.ML.OnnxRuntime on a machine with the CUDA and cuDNN that it asks for, or allow the CPU: TrainingDevice.Cuda(fallbackToCpu: true), or " +
                "TrainingDevice.Cpu.", inner);
        }

        warn($"{title} was to run on GPU {device.GpuIndex}, but the GPU is not available ({inner.Message.Trim()}); it runs on the CPU. The package for the GPU is " +
            "Microsoft.ML.OnnxRuntime.Gpu.");
        return CreateCpuOptions();
    }

    // Errors are thrown; by default, ONNX Runtime would also write them to the console.
    private static SessionOptions CreateCpuOptions() => new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
}

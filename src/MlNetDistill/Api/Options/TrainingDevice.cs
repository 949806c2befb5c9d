namespace MlNetDistill;

/// <summary>Where a student is trained.</summary>
public sealed record TrainingDevice
{
    private TrainingDevice(int? gpu, bool fallback) => (GpuIndex, FallbackToCpu) = (gpu, fallback);

    /// <summary>The CPU.</summary>
    public static TrainingDevice Cpu { get; } = new(null, false);

    /// <summary>Index of the CUDA device, or null for the CPU.</summary>
    public int? GpuIndex { get; }

    /// <summary>Whether to train on the CPU, with a logged warning, where the GPU is missing; otherwise that is an error.</summary>
    public bool FallbackToCpu { get; }

    /// <summary>The device.</summary>
    public override string ToString() => GpuIndex is { } index ? $"CUDA {index}{(FallbackToCpu ? ", or the CPU where it is missing" : "")}" : "CPU";

    /// <summary>A CUDA device.</summary>
    /// <param name="index">Its index, from 0.</param>
    /// <param name="fallbackToCpu">Whether to train on the CPU where it is missing.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="index"/> is below 0.</exception>
    public static TrainingDevice Cuda(int index = 0, bool fallbackToCpu = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        return new TrainingDevice(index, fallbackToCpu);
    }
}

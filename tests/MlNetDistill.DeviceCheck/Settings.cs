using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.DeviceCheck;

/// <summary>What the command line asks for.</summary>
/// <param name="DeviceName">cpu or cuda.</param>
/// <param name="Folder">Where results go.</param>
/// <param name="Only">How the names of the checks begin that are to be made, with commas between them; null for all.</param>
/// <param name="Budget">Seconds after which no check is begun.</param>
internal sealed record Settings(string DeviceName, string Folder, string? Only, double Budget)
{
    public bool IsGpu => DeviceName == "cuda";

    public TrainingDevice Training => IsGpu ? TrainingDevice.Cuda() : TrainingDevice.Cpu;

    public Device Device => IsGpu ? device(DeviceType.CUDA, 0) : CPU;

    /// <summary>Where the worker says what it begins and what it found.</summary>
    public string Journal => Path.Combine(Folder, "device-check.lines");

    public IReadOnlyList<Check> Checks() => [.. AllChecks.Create(this).Where(c => Only is null || Only.Split(',').Any(start => c.Name.StartsWith(start, StringComparison.Ordinal)))];
}

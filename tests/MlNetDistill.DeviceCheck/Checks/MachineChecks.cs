using System.Diagnostics;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.DeviceCheck;

/// <summary>What this runs on.</summary>
internal static class MachineChecks
{
    public static IEnumerable<Check> Create(Settings settings) =>
    [
        new("machine: versions", Versions),
        new("machine: device", () => DeviceOf(settings)),
        new("machine: product", () => Product(settings)),
    ];

    private static string Versions() => string.Join("; ",
        $".NET {Environment.Version}", RuntimeInformation.OSDescription, $"{Environment.ProcessorCount} processors",
        $"TorchSharp {typeof(torch).Assembly.GetName().Version} for libtorch {__version__}",
        $"PyTorch {Environment.GetEnvironmentVariable("DEVICE_CHECK_PYTORCH") ?? "unknown"}",
        $"{get_num_threads()} threads", $"loaded {string.Join(", ", Loaded())}");

    private static string DeviceOf(Settings settings)
    {
        if (!settings.IsGpu)
            return "the CPU";
        Fault.If(!cuda.is_available(), "torch.cuda.is_available() is false");
        Fault.If(!cuda.is_cudnn_available(), "cuDNN is not available");
        return $"{cuda.device_count()} CUDA device(s); {Smi()}; TF32 in convolutions {Setting(() => backends.cudnn.allow_tf32)}, in products {Setting(() => backends.cuda.matmul.allow_tf32)}";
    }

    private static string Product(Settings settings)
    {
        using var scope = NewDisposeScope();
        var (a, b) = (Numbers.Normal(1, 64, 96), Numbers.Normal(2, 96, 32));
        var difference = Numbers.Difference(Numbers.Read(a.matmul(b)), Numbers.Read(a.to(settings.Device).matmul(b.to(settings.Device))));
        Fault.If(difference > 1e-12, $"a product differs by {Numbers.Text(difference)}");
        return $"differs by {Numbers.Text(difference)}";
    }

    private static IEnumerable<string> Loaded() => !File.Exists("/proc/self/maps") ? [] : File.ReadLines("/proc/self/maps")
        .Select(line => line[(line.IndexOf('/') is var at and >= 0 ? at : line.Length)..])
        .Where(path => Path.GetFileName(path) is var name && (name.StartsWith("libtorch_c", StringComparison.Ordinal) || name.StartsWith("libLibTorchSharp", StringComparison.Ordinal)))
        .Distinct();

    private static string Setting(Func<bool> read)
    {
        try
        {
            return read() ? "on" : "off";
        }
        catch (ExternalException e)
        {
            return e.Message;
        }
    }

    private static string Smi()
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("nvidia-smi", ["--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]) { RedirectStandardOutput = true })!;
            var text = process.StandardOutput.ReadToEnd().Trim();
            process.WaitForExit();
            return text;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "no nvidia-smi";
        }
    }
}

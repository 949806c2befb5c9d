using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.ML;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill.DeviceCheck;

/// <summary>What fits leave behind.</summary>
internal static class MemoryChecks
{
    public static IEnumerable<Check> Create(Settings settings) =>
    [
        new("memory: KD", () => After(settings, DistillationMethod.Kd()), 120),
        new("memory: RCO×DIST", () => After(settings, DistillationMethod.Rco(DistillationMethod.Dist())), 120),
        new("memory: SSKD", () => After(settings, DistillationMethod.Sskd()), 120),
        new("memory: hint", () => After(settings, DistillationMethod.FromLoss("hint", new CrossEntropyLoss() + new HintLoss((0, 0)))), 120),
    ];

    private static string After(Settings settings, DistillationMethod method)
    {
        var context = new MLContext(1);
        var view = context.Pictures();
        // Large enough for one network that is left behind to show: 4.5 MB, six times.
        void Fit() => context.Fit(
            Pair.Quick with
            {
                Teacher = Route.Train(NetworkSpec.Mlp(512), every: 1, epochs: 2),
                Student = NetworkSpec.Mlp(1024, 1024),
                Method = method,
                Device = settings.Training,
                Epochs = 4,
            },
            view);
        Fit();
        Fit();
        var before = Held(settings);
        for (var i = 0; i < 6; i++)
            Fit();
        var after = Held(settings);
        var text = $"after 2 and after 8 fits {before >> 20} and {after >> 20} MiB {(settings.IsGpu ? "of the device in use" : "resident")}";
        // What the process has resident comes and goes with other things than tensors.
        Fault.If(after > before + (settings.IsGpu ? 16L << 20 : 200L << 20), text);
        return text;
    }

    /// <summary>Bytes in use now: of the device, or resident.</summary>
    public static long Held(Settings settings)
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        using var process = Process.GetCurrentProcess();
        return settings.IsGpu ? InUse() : process.WorkingSet64;
    }

    /// <summary>Bytes of the device in use, the reserve of libtorch's allocator included</summary>
    private static long InUse()
    {
        foreach (var version in new[] { 13, 12 })
        {
            if (NativeLibrary.TryLoad($"libcudart.so.{version}", out var library) && NativeLibrary.TryGetExport(library, "cudaMemGetInfo", out var function))
                return Used(function);
        }

        throw new Fault("CUDA's runtime, libcudart.so, is not found");
    }

    private static unsafe long Used(nint function)
    {
        nuint free, total;
        return ((delegate* unmanaged<nuint*, nuint*, int>)function)(&free, &total) == 0 ? (long)(total - free) : throw new Fault("cudaMemGetInfo failed");
    }
}

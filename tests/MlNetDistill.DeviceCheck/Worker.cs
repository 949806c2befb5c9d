using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using TorchSharp;

namespace MlNetDistill.DeviceCheck;

/// <summary>Makes the checks, in a process of its own: native code may end it.</summary>
internal static class Worker
{
    public static int Run(Settings settings, int first)
    {
        LoadLibraries(settings);
        var checks = settings.Checks();
        for (var i = first; i < checks.Count; i++)
        {
            Write(settings, new { begun = i });
            var outcome = Make(checks[i]);
            Console.WriteLine(outcome);
            Write(settings, outcome);
        }

        return 0;
    }

    /// <summary>Prepares libtorch for a process.</summary>
    public static void LoadLibraries(Settings settings)
    {
        // What a GPU needs registers itself when this is loaded, and must have done so before libtorch first looks for it.
        if (settings.IsGpu && !NativeLibrary.TryLoad("libtorch_cuda.so", out _))
            Console.WriteLine("libtorch_cuda.so cannot be loaded: this PyTorch is one for the CPU, or its folder is not in LD_LIBRARY_PATH.");
        // The networks are small: more threads wait for each other.
        torch.set_num_threads(Math.Min(4, Environment.ProcessorCount));
    }

    private static Outcome Make(Check check)
    {
        var clock = Stopwatch.StartNew();
        try
        {
            return new Outcome(check.Name, true, check.Run(), clock.Elapsed.TotalSeconds);
        }
        catch (Exception e)
        {
            var said = e is Fault ? e.Message : $"{e.GetType().Name}: {e.Message}{(e.InnerException is { } inner ? $" ({inner.GetType().Name}: {inner.Message})" : "")} {Where(e)}";
            return new Outcome(check.Name, false, said.ReplaceLineEndings(" | "), clock.Elapsed.TotalSeconds);
        }
    }

    private static string Where(Exception e) => string.Join(" <", (e.StackTrace ?? "").Split('\n').Where(l => l.Contains("MlNetDistill", StringComparison.Ordinal)).Take(5).Select(l => l.Trim()));

    private static void Write<T>(Settings settings, T value) => File.AppendAllText(settings.Journal, JsonSerializer.Serialize(value) + "\n");
}

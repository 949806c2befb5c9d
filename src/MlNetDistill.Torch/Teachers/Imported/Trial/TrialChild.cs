using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using System.Text;
using System.Text.Json;
using MlNetDistill.Core;

namespace MlNetDistill.Teachers;

/// <summary>The process that tries a file: reads what to try, tries it and says what came of it, unless the file ends the process.</summary>
internal static partial class TrialChild
{
    /// <summary>Does not return.</summary>
    public static void Run()
    {
        var input = new StreamReader(Console.OpenStandardInput(), Encoding.UTF8);
        var request = JsonSerializer.Deserialize<TrialRequest>(input.ReadLine() ?? "") ?? throw new InvalidDataException("There is nothing to try.");
        // The other end is open as long as someone waits for the result.
        new Thread(() => KillWhenClosed(input)) { IsBackground = true }.Start();
        LimitHarm();
        AssemblyLoadContext.Default.Resolving += (context, name) =>
            name.Name == "TorchSharp" && request.TorchSharp is { } path && File.Exists(path) ? context.LoadFromAssemblyPath(path) : null;
        WriteResult(request, new TrialResult(HasBegun: true));
        WriteResult(request, RunRequest(request));
        Environment.Exit(0);
    }

    private static void WriteResult(TrialRequest request, TrialResult result)
    {
        using var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false));
        output.Write($"\n{request.Token}{JsonSerializer.Serialize(result)}\n");
    }

    private static TrialResult RunRequest(TrialRequest request)
    {
        try
        {
            foreach (var library in request.Native)
                NativeLibrary.TryLoad(library, out _);
            TorchLibrary.EnsureLoaded();
            return new TrialResult(Fault: RunTrial(request.Trial));
        }
        catch (Exception e) when (e is TorchUnavailableException or FileNotFoundException or TypeInitializationException)
        {
            return new TrialResult(Unavailable: $"it cannot load TorchSharp: {e.Message.TrimEnd('.')}");
        }
    }

    // Apart, because whatever calls it needs TorchSharp to be found.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static string? RunTrial(ScriptTrial trial) => trial.FindFault();

    private static void KillWhenClosed(TextReader input)
    {
        input.Read();
        using var self = Process.GetCurrentProcess();
        self.Kill();
    }

    /// <summary>Where memory runs out, Linux ends this process and not the one that waits for it; and if it ends badly it leaves no image of its memory.</summary>
    private static void LimitHarm()
    {
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            File.WriteAllText("/proc/self/oom_score_adj", "1000");
            const int dumpable = 4;
            _ = ControlProcess(dumpable, 0, 0, 0, 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DllNotFoundException or EntryPointNotFoundException)
        {
            // Precautions more, which not every system allows.
        }
    }

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int ControlProcess(int option, nuint first, nuint second, nuint third, nuint fourth);
}

/// <summary>What a trial is told.</summary>
/// <param name="Token">Begins the line that the result is in; a script may print what it likes.</param>
/// <param name="TorchSharp">Where TorchSharp is; null where it has no place.</param>
/// <param name="Native">Native libraries to be loaded first.</param>
/// <param name="Trial">What to try.</param>
internal sealed record TrialRequest(string Token, string? TorchSharp, IReadOnlyList<string> Native, ScriptTrial Trial);

/// <summary>What a trial says.</summary>
/// <param name="HasBegun">That the process works and goes on to try the file.</param>
/// <param name="Fault">Why the file cannot be used; null if it can.</param>
/// <param name="Unavailable">Why it could not be tried; null if it was.</param>
internal sealed record TrialResult(bool HasBegun = false, string? Fault = null, string? Unavailable = null);

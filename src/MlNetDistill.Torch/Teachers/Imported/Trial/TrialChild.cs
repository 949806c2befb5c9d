using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using System.Text;
using System.Text.Json;
using MlNetDistill.Core;
using TorchSharp;

namespace MlNetDistill.Teachers;

/// <summary>The code of the trial process: reads the request, loads the file and writes the result, unless the file crashes the process.</summary>
internal static partial class TrialChild
{
    /// <summary>Does not return.</summary>
    public static void Run()
    {
        var input = new StreamReader(Console.OpenStandardInput(), Encoding.UTF8);
        var request = JsonSerializer.Deserialize<TrialRequest>(input.ReadLine() ?? "") ?? throw new InvalidDataException("The trial process received no request.");
        // The other end stays open as long as the parent process waits for the result.
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

    // A method of its own: the runtime resolves TorchSharp when it compiles the method.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static string? RunTrial(ScriptTrial trial)
    {
        try
        {
            TorchScriptModel.Load(trial.Path, "", trial.Outputs, trial.Shape, trial.IsByte, trial.Input, torch.CPU, trial.BatchSize, _ => { }).Dispose();
            return null;
        }
        catch (InvalidOperationException e)
        {
            return e.Message;
        }
    }

    private static void KillWhenClosed(TextReader input)
    {
        input.Read();
        using var self = Process.GetCurrentProcess();
        self.Kill();
    }

    /// <summary>If memory runs out, Linux kills this process rather than its parent; and a crash leaves no memory dump.</summary>
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
            // Optional precautions, which not every system allows.
        }
    }

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int ControlProcess(int option, nuint first, nuint second, nuint third, nuint fourth);
}

/// <summary>A TorchScript file to be loaded and run in a separate process, where a crash does no harm; the parameters of <see cref="TorchScriptModel.Load"/>.</summary>
internal sealed record ScriptTrial(string Path, TorchScriptOutputs Outputs, InputShape Shape, bool IsByte, TeacherInput Input, int BatchSize);

/// <summary>The request to a trial process.</summary>
/// <param name="Token">The start of the line that contains the result, since a script may print lines too.</param>
/// <param name="TorchSharp">Path of TorchSharp; null if it has none.</param>
/// <param name="Native">Native libraries to load first.</param>
/// <param name="Trial">The file to load.</param>
internal sealed record TrialRequest(string Token, string? TorchSharp, IReadOnlyList<string> Native, ScriptTrial Trial);

/// <summary>The result of a trial process.</summary>
/// <param name="HasBegun">Whether the process works and is about to load the file.</param>
/// <param name="Fault">Why the file cannot be used; null if it can.</param>
/// <param name="Unavailable">Why the trial could not run; null if it did.</param>
internal sealed record TrialResult(bool HasBegun = false, string? Fault = null, string? Unavailable = null);

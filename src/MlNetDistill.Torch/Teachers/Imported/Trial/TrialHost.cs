using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>
/// Starts the trial process. A library has no program of its own, so the application's program is started again, and .NET runs <see cref="StartupHook"/> there
/// instead of the application's <c>Main</c>. The trial thus finds the same assemblies and the same libtorch, however the application was published.
/// </summary>
internal static class TrialHost
{
    private const string TrialVariable = "MLNETDISTILL_TRIAL";
    private static readonly string Extension = OperatingSystem.IsWindows() ? ".exe" : "";

    /// <summary>Whether this process is a trial process.</summary>
    public static bool IsTrial => Environment.GetEnvironmentVariable(TrialVariable) == "1";

    /// <summary>How to start the trial process.</summary>
    /// <exception cref="TrialUnavailableException">It cannot be started; the message says why.</exception>
    public static ProcessStartInfo CreateStartInfo()
    {
        if (IsTrial)
            throw new TrialUnavailableException("this process is itself a trial process");
        if (!RuntimeFeature.IsDynamicCodeSupported)
            throw new TrialUnavailableException("the application is compiled ahead of time");
        if (AppContext.TryGetSwitch("System.StartupHookProvider.IsSupported", out var supported) && !supported)
        {
            throw new TrialUnavailableException("the application is built without startup hooks, as trimmed applications are; set <StartupHookSupport>true</StartupHookSupport> in " +
                "its project");
        }

        var start = CreateCommand();
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.StandardInputEncoding = start.StandardOutputEncoding = start.StandardErrorEncoding = new UTF8Encoding(false);
        (start.UseShellExecute, start.CreateNoWindow) = (false, true);
        var assembly = typeof(TrialHost).Assembly;
        var settings = new Dictionary<string, string?>
        {
            [TrialVariable] = "1",
            // In a single-file application the assembly has no path, but a name.
            ["DOTNET_STARTUP_HOOKS"] = GetLocation(assembly) ?? assembly.GetName().Name,
            // A crash of the trial is expected: no dump, and no diagnostics that could wait for it.
            ["DOTNET_DbgEnableMiniDump"] = "0",
            ["DOTNET_EnableDiagnostics"] = "0",
            ["DOTNET_gcServer"] = "0",
            // The trial runs on the CPU and must not take GPU memory.
            ["CUDA_VISIBLE_DEVICES"] = "",
        };
        foreach (var (name, value) in settings)
            start.Environment[name] = value;
        return start;
    }

    /// <summary>The paths of TorchSharp and its native libraries in this process, for a trial process that does not find them itself.</summary>
    public static (string? TorchSharp, IReadOnlyList<string> Native) FindLibraries()
    {
        using var self = Process.GetCurrentProcess();
        var loaded = self.Modules.Cast<ProcessModule>().Select(m => m.FileName).ToList();
        // In this order, each before those that need it: a system may have another libtorch, which the loader would take instead.
        string[] wanted = ["torch_cpu", "torch", "LibTorchSharp"];
        return (GetLocation(typeof(Tensor).Assembly), [.. wanted.Select(name => loaded.Find(file => IsLibrary(file, name))).OfType<string>()]);
    }

    private static bool IsLibrary(string file, string name) => Path.GetFileNameWithoutExtension(file) is var found && (found == name || found == $"lib{name}");

    private static ProcessStartInfo CreateCommand()
    {
        var entry = Assembly.GetEntryAssembly() ?? throw new TrialUnavailableException("the application is hosted by a program that is not .NET");
        var runtime = Path.TrimEndingDirectorySeparator(RuntimeEnvironment.GetRuntimeDirectory());
        // root/shared/Microsoft.NETCore.App/version
        var root = Path.GetDirectoryName(Path.GetDirectoryName(Path.GetDirectoryName(runtime)));
        if (GetLocation(entry) is { } program && root is not null && Path.Combine(root, $"dotnet{Extension}") is var dotnet && File.Exists(dotnet))
            return new ProcessStartInfo(dotnet, ["exec", .. GetConfigurationArguments(program), program]);
        var isSelfContained = runtime == Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        if (Environment.ProcessPath is { } executable && (isSelfContained || GetLocation(entry) is null))
        {
            var start = new ProcessStartInfo(executable);
            if (root is not null && File.Exists(Path.Combine(root, $"dotnet{Extension}")))
                start.Environment["DOTNET_ROOT"] = root;
            return start;
        }

        throw new TrialUnavailableException($"no 'dotnet' was found for the .NET runtime in '{runtime}'");
    }

    /// <summary>The configuration files that the application was started with, if they are not beside its program: a test host uses those of the tests.</summary>
    private static IEnumerable<string> GetConfigurationArguments(string program)
    {
        const string dependencies = ".deps.json";
        var given = (AppContext.GetData("APP_CONTEXT_DEPS_FILES") as string)?.Split(';').FirstOrDefault(file => file.EndsWith(dependencies, StringComparison.Ordinal));
        if (given is null || !File.Exists(given))
            return [];
        var settings = $"{given[..^dependencies.Length]}.runtimeconfig.json";
        if (!File.Exists(settings))
            settings = Path.ChangeExtension(program, ".runtimeconfig.json");
        return File.Exists(settings) ? ["--depsfile", given, "--runtimeconfig", settings] : ["--depsfile", given];
    }

    private static string? GetLocation(Assembly assembly) => assembly.Location is { Length: > 0 } path ? path : null;
}

/// <summary>No process can be started for a trial; the message says why, without a full stop.</summary>
internal sealed class TrialUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

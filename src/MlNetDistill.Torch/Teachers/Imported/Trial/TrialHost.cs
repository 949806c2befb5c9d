using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>
/// How a second process is made of a library that has no program of its own: this application's is started again, and .NET runs <see cref="StartupHook"/>
/// there, which never comes to the application's <c>Main</c>. So the trial finds the same assemblies and the same libtorch, published in whatever way.
/// </summary>
internal static class TrialHost
{
    private const string TrialVariable = "MLNETDISTILL_TRIAL";
    private static readonly string Extension = OperatingSystem.IsWindows() ? ".exe" : "";

    /// <summary>Whether this process is a trial.</summary>
    public static bool IsTrial => Environment.GetEnvironmentVariable(TrialVariable) == "1";

    /// <summary>What to start.</summary>
    /// <exception cref="TrialUnavailableException">There is no way to start it; the message says why.</exception>
    public static ProcessStartInfo CreateStartInfo()
    {
        if (IsTrial)
            throw new TrialUnavailableException("this process is itself such a trial");
        if (!RuntimeFeature.IsDynamicCodeSupported)
            throw new TrialUnavailableException("the application is compiled ahead of time");
        if (AppContext.TryGetSwitch("System.StartupHookProvider.IsSupported", out var supported) && !supported)
        {
            throw new TrialUnavailableException("the application is built without startup hooks, as trimmed ones are; <StartupHookSupport>true</StartupHookSupport> in its " +
                "project lets it have them");
        }

        var start = CreateCommand();
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.StandardInputEncoding = start.StandardOutputEncoding = start.StandardErrorEncoding = new UTF8Encoding(false);
        (start.UseShellExecute, start.CreateNoWindow) = (false, true);
        var assembly = typeof(TrialHost).Assembly;
        var settings = new Dictionary<string, string?>
        {
            [TrialVariable] = "1",
            // In an application of a single file the assembly has no place, but a name.
            ["DOTNET_STARTUP_HOOKS"] = GetLocation(assembly) ?? assembly.GetName().Name,
            // A trial that ends badly is no accident to be reported, and whatever watches the application must not wait for it.
            ["DOTNET_DbgEnableMiniDump"] = "0",
            ["DOTNET_EnableDiagnostics"] = "0",
            ["DOTNET_gcServer"] = "0",
            // It is on the CPU; its share of the GPU's memory is not for it to take.
            ["CUDA_VISIBLE_DEVICES"] = "",
        };
        foreach (var (name, value) in settings)
            start.Environment[name] = value;
        return start;
    }

    /// <summary>Where this process has TorchSharp and its native libraries from; the trial takes them from there where it does not find them by itself.</summary>
    public static (string? TorchSharp, IReadOnlyList<string> Native) FindLibraries()
    {
        using var self = Process.GetCurrentProcess();
        var loaded = self.Modules.Cast<ProcessModule>().Select(m => m.FileName).ToList();
        string[] wanted = ["torch_cpu", "LibTorchSharp"];
        return (GetLocation(typeof(Tensor).Assembly), [.. wanted.Select(name => loaded.Find(file => IsLibrary(file, name))).OfType<string>()]);
    }

    private static bool IsLibrary(string file, string name) => Path.GetFileNameWithoutExtension(file) is var found && (found == name || found == $"lib{name}");

    private static ProcessStartInfo CreateCommand()
    {
        var entry = Assembly.GetEntryAssembly() ?? throw new TrialUnavailableException("the application has no program of .NET, but is hosted by another");
        var runtime = Path.TrimEndingDirectorySeparator(RuntimeEnvironment.GetRuntimeDirectory());
        // root/shared/Microsoft.NETCore.App/version
        var root = Path.GetDirectoryName(Path.GetDirectoryName(Path.GetDirectoryName(runtime)));
        if (GetLocation(entry) is { } program && root is not null && Path.Combine(root, $"dotnet{Extension}") is var dotnet && File.Exists(dotnet))
            return new ProcessStartInfo(dotnet, ["exec", .. GetConfigurationArguments(program), program]);
        var isSelfContained = runtime == Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        if (Environment.ProcessPath is { } itself && (isSelfContained || GetLocation(entry) is null))
        {
            var start = new ProcessStartInfo(itself);
            if (root is not null && File.Exists(Path.Combine(root, $"dotnet{Extension}")))
                start.Environment["DOTNET_ROOT"] = root;
            return start;
        }

        throw new TrialUnavailableException($"no 'dotnet' was found for the .NET runtime in '{runtime}'");
    }

    /// <summary>The files that the application was started with, where they do not lie beside its program: a test host is started with those of the tests.</summary>
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

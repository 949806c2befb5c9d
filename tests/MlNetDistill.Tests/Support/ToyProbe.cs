using System.Diagnostics;
using System.Reflection;

namespace MlNetDistill.Tests.Support;

/// <summary>A second process without TorchSharp-cpu, which makes its first call into the library: the project MlNetDistill.TorchProbe.</summary>
internal static class ToyProbe
{
    public static string AssemblyPath { get; } = typeof(ToyProbe).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(a => a.Key == "TorchProbePath").Value!;

    /// <summary>A process that is in the middle of a call and stays there; the caller kills it.</summary>
    public static Process Start(string verb, string path)
    {
        var process = Process.Start(new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [AssemblyPath, verb, path])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var line = process.StandardOutput.ReadLine();
        if (line != "busy")
            Assert.Fail($"The process said '{line}' {process.StandardError.ReadToEnd()}");
        return process;
    }

    /// <summary>All that the process writes, to its end.</summary>
    /// <param name="verb">The call.</param>
    /// <param name="libraries">Folders where the loader looks first.</param>
    public static string[] Call(string verb, params string[] libraries)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [AssemblyPath, verb])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["LD_LIBRARY_PATH"] = string.Join(':', libraries);
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, errors.GetAwaiter().GetResult() + output);
        return output.TrimEnd('\n').Split('\n');
    }
}

using System.Diagnostics;
using System.Text.Json;
using MlNetDistill.Evaluation;

namespace Quickstart.Report;

/// <summary>
/// Measures a saved model in a new process. This process has trained networks, so its memory contains TorchSharp's, and its threads may still be busy.
/// </summary>
internal static class OwnProcess
{
    /// <summary>Starts this program again, with <c>--measure</c>.</summary>
    /// <param name="arguments">The arguments of this program, so that the new process has the same rows.</param>
    /// <param name="zip">The saved model.</param>
    public static ModelCost Measure(IReadOnlyList<string> arguments, string zip)
    {
        var program = Environment.ProcessPath!;
        // Started as "dotnet Quickstart.dll", the process is dotnet.
        string[] self = Path.GetFileNameWithoutExtension(program) == "dotnet" ? [typeof(OwnProcess).Assembly.Location] : [];
        using var process = Process.Start(new ProcessStartInfo(program, [.. self, .. arguments, "--measure", zip]) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? JsonSerializer.Deserialize<ModelCost>(output)!
            : throw new InvalidOperationException($"The cost of {zip} could not be measured; the process ended with exit code {process.ExitCode}.");
    }

    public static void Answer(ModelCost cost) => Console.WriteLine(JsonSerializer.Serialize(cost));
}

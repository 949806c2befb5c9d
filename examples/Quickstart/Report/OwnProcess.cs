using System.Diagnostics;
using System.Text.Json;
using MlNetDistill.Evaluation;

namespace Quickstart.Report;

/// <summary>
/// Measures a saved model in a process that has done nothing else: this one has trained networks, its memory is full of what TorchSharp left, and its
/// threads may still be busy.
/// </summary>
internal static class OwnProcess
{
    /// <summary>Starts this program once more, with <c>--measure</c>.</summary>
    /// <param name="arguments">This program's own, so that the other has the same rows.</param>
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
            : throw new InvalidOperationException($"What {zip} costs could not be measured; the process that tried ended with code {process.ExitCode}.");
    }

    public static void Answer(ModelCost cost) => Console.WriteLine(JsonSerializer.Serialize(cost));
}

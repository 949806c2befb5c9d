using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using TorchSharp;

namespace MlNetDistill.Benchmarks;

/// <summary>A training that is measured in a process of its own.</summary>
/// <param name="Side">Whose loop: <see cref="Ours"/>, <see cref="TorchSharp"/> or <see cref="PyTorch"/>.</param>
/// <param name="Kind">Labels alone, KD, or another method.</param>
internal sealed record Contender(string Side, string Kind)
{
    public const string Ours = "ours";
    public const string TorchSharp = "TorchSharp";
    public const string PyTorch = "PyTorch";

    /// <summary>Measures in a new process.</summary>
    public Speeds MeasureElsewhere(Cell cell, Comparison settings)
    {
        string Number(double value) => value.ToString(CultureInfo.InvariantCulture);
        string[] amounts = [$"{cell.BatchSize}", $"{cell.Threads}", Number(settings.WarmUp), Number(settings.Seconds)];
        var workload = cell.Workload;
        string Text(Workload.Layers layers) => $"{layers.Blocks}:{string.Join(',', layers.Widths)}";
        var start = Side == PyTorch
            ? new ProcessStartInfo(
                settings.Python,
                [
                    Path.Combine(AppContext.BaseDirectory, "pytorch_loop.py"), string.Join('x', workload.Shape.Dimensions), $"{workload.Rows}", $"{workload.Classes}",
                    Text(workload.Student), Text(workload.Teacher), Kind, .. amounts,
                ])
            : new ProcessStartInfo(Environment.ProcessPath!, [.. HostArguments(), "measure", Side, workload.Name, Kind, .. amounts]);
        start.RedirectStandardOutput = true;
        start.Environment["OMP_NUM_THREADS"] = $"{cell.Threads}";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? JsonSerializer.Deserialize<Speeds>(output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1])!
            : throw new InvalidOperationException($"{this} on {workload.Name} ended with {process.ExitCode}: {string.Join(' ', start.ArgumentList)}");
    }

    /// <summary>Measures in this process, and prints the result as JSON.</summary>
    public void Measure(string workload, int batchSize, int threads, double warmUp, double seconds)
    {
        torch.set_num_threads(threads);
        var measure = Side == Ours ? (Func<Workload, string, int, double, double, Speeds>)OurLoop.Measure : BareLoop.Measure;
        Console.WriteLine(JsonSerializer.Serialize(measure(Workload.Find(workload), Kind, batchSize, warmUp, seconds)));
    }

    public override string ToString() => $"{Kind} ({Side})";

    // The program may have been started by its own host or by dotnet.
    private static string[] HostArguments() =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(Contender).Assembly.Location] : [];
}

using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace MlNetDistill.Benchmarks;

/// <summary>
/// Compares our training with loops written by hand, and other methods with KD. Each training is measured in a process of its own after a warm-up, and those that are
/// compared run in turns, so that what else the machine does slows all alike.
/// </summary>
/// <param name="Pairs">Measurements of each.</param>
/// <param name="WarmUp">Seconds of training before a measurement.</param>
/// <param name="Seconds">Seconds of a measurement; at least one epoch.</param>
/// <param name="Python">The Python that may have PyTorch.</param>
internal sealed record Comparison(int Pairs, double WarmUp, double Seconds, string Python)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Measures the cells, and writes <c>compare.json</c> and <c>compare.md</c> into a folder after each.</summary>
    public void Run(IReadOnlyList<Cell> cells, string folder)
    {
        Directory.CreateDirectory(folder);
        var hasPyTorch = FindPyTorch();
        var results = new List<Result>();
        foreach (var cell in cells)
        {
            var contenders = cell.Contenders(hasPyTorch);
            var speeds = contenders.Select(_ => new List<Speeds>()).ToList();
            for (var pair = 0; pair < Pairs; pair++)
            {
                // In another order each time: what comes later finds a warmer processor.
                for (var i = 0; i < contenders.Count; i++)
                {
                    var next = (i + pair) % contenders.Count;
                    speeds[next].Add(contenders[next].MeasureElsewhere(cell, this));
                }
            }

            results.Add(new(cell.Workload.Name, cell.Kind, cell.BatchSize, cell.Threads, [.. contenders.Zip(speeds, (c, s) => new Measured(c.Side, c.Kind, s))]));
            Console.WriteLine(results[^1].ToTableRow());
            File.WriteAllText(Path.Combine(folder, "compare.json"), JsonSerializer.Serialize(results, Indented));
            File.WriteAllText(Path.Combine(folder, "compare.md"), $"{Result.TableHead}\n{string.Concat(results.Select(r => r.ToTableRow() + "\n"))}");
        }
    }

    private bool FindPyTorch()
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(Python, ["-c", "import torch; print('PyTorch', torch.__version__)"]) { RedirectStandardError = true })!;
            process.WaitForExit();
            if (process.ExitCode == 0)
                return true;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // There is no such program.
        }

        Console.WriteLine($"'{Python}' has no PyTorch, so it is left out. Name a Python that has it with --python.");
        return false;
    }

    /// <summary>What was measured of one training.</summary>
    internal sealed record Measured(string Side, string Kind, IReadOnlyList<Speeds> Speeds);

    /// <summary>What was measured of one cell: first our training, then what it is compared with.</summary>
    internal sealed record Result(string Network, string Kind, int BatchSize, int Threads, IReadOnlyList<Measured> Trainings)
    {
        public const string TableHead =
            "| networks | training | batch | threads | rows/s | compared with | rows over total time | by median epochs | by processor time |\n|---|---|--:|--:|--:|---|---|---|---|";

        public string ToTableRow() => string.Join('\n', Trainings.Skip(1).Select(other => string.Create(
            CultureInfo.InvariantCulture,
            $"| {Network} | {Kind} | {BatchSize} | {Threads} | {Median(Trainings[0].Speeds.Select(s => s.Total)):#,0} | {(other.Side == Contender.Ours ? $"our {other.Kind}" : other.Side)} | {Ratios(other, s => s.Total)} | {Ratios(other, s => s.MedianEpoch)} | {Ratios(other, s => s.CpuSecond)} |")));

        private string Ratios(Measured other, Func<Speeds, double> speed)
        {
            var ratios = Trainings[0].Speeds.Zip(other.Speeds, (ours, theirs) => speed(ours) / speed(theirs)).Order().ToList();
            return FormattableString.Invariant($"{Median(ratios):0.00} ({ratios[0]:0.00} to {ratios[^1]:0.00})");
        }

        private static double Median(IEnumerable<double> values)
        {
            var sorted = values.Order().ToList();
            return sorted[sorted.Count / 2];
        }
    }
}

using System.Diagnostics;
using static System.FormattableString;

namespace MlNetDistill.Kill;

/// <summary>Kills one training again and again.</summary>
/// <param name="training">Its name.</param>
/// <param name="times">Number of kills.</param>
/// <param name="seed">Seed of the moments.</param>
internal sealed class KillRun(string training, int times, int seed)
{
    // A process that does not end in ten times the time of one that is not killed hangs.
    private const int HangFactor = 10;
    private readonly Random _random = new(seed);

    /// <summary>Processes that were killed.</summary>
    public int Kills { get; private set; }

    /// <summary>Students that were finished and compared.</summary>
    public int Students { get; private set; }

    /// <summary>Students that differ, and processes that failed.</summary>
    public int Faults { get; private set; }

    public KillRun Run()
    {
        using var reference = new ToyFolder();
        var clock = Stopwatch.StartNew();
        using (var process = Start(reference.Path))
            End(process, TimeSpan.FromMinutes(5));
        var duration = clock.Elapsed;
        var expected = File.ReadAllBytes(Trainings.StudentIn(reference.Path));
        while (Kills < times)
            RunUntilFinished(duration, expected);
        Console.WriteLine(Invariant($"{training}: {Kills} kills within {duration.TotalSeconds:0.0} s, {Students} students, {Faults} faults"));
        return this;
    }

    /// <summary>Kills a training at random moments until it is finished, the last time without being killed.</summary>
    private void RunUntilFinished(TimeSpan duration, byte[] expected)
    {
        using var folder = new ToyFolder();
        // The first moments are those of the start of the process; after some kills, most of the training is done.
        for (var left = _random.Next(3, 9); left > 0 && Kills < times; left--)
        {
            using var process = Start(folder.Path);
            if (process.WaitForExit(TimeSpan.FromMilliseconds(_random.NextDouble() * duration.TotalMilliseconds)))
            {
                Check(process);
                break;
            }

            process.Kill();
            process.WaitForExit();
            Kills++;
        }

        using (var process = Start(folder.Path))
        {
            if (!End(process, HangFactor * duration))
                return;
        }

        Students++;
        if (!File.ReadAllBytes(Trainings.StudentIn(folder.Path)).AsSpan().SequenceEqual(expected))
            Report("its student is not that of the training that was not killed");
        string[] leftovers = [.. Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories).Select(Path.GetFileName).OfType<string>().Where(file => file.EndsWith(".tmp", StringComparison.Ordinal))];
        if (leftovers.Length > 0)
            Report($"it left {string.Join(", ", leftovers)}");
    }

    private bool End(Process process, TimeSpan limit)
    {
        if (process.WaitForExit(limit))
            return Check(process);
        process.Kill();
        Report(Invariant($"a process did not end within {limit.TotalSeconds:0} s"));
        return false;
    }

    private bool Check(Process process)
    {
        if (process.ExitCode == 0)
            return true;
        Report(Invariant($"a process ended with {process.ExitCode}: {process.StandardError.ReadToEnd()}"));
        return false;
    }

    private void Report(string fault)
    {
        Faults++;
        Console.WriteLine($"{training}: {fault}");
    }

    private Process Start(string folder) => Process.Start(new ProcessStartInfo(Environment.ProcessPath!)
    {
        ArgumentList = { "train", training, folder },
        RedirectStandardError = true,
    })!;
}

using System.Collections.Concurrent;
using System.Diagnostics;

namespace MlNetDistill.Hostile.Running;

/// <summary>
/// Runs jobs in second processes, some dozens in each. A process that ends, takes too long or takes too much memory costs the job that it was at and no other.
/// </summary>
/// <param name="arguments">From a file of jobs to the arguments of a process.</param>
/// <param name="limit">The longest a job may take.</param>
/// <param name="told">Is given every result at once.</param>
/// <param name="environment">Variables of the processes.</param>
internal sealed class Supervisor(
    Func<string, string[]> arguments, Func<string, TimeSpan> limit, Action<Result> told, params (string Name, string Value)[] environment)
{
    private const int JobsPerProcess = 60;
    private const long MostMemory = 4L << 30;
    private static readonly TimeSpan StartUp = TimeSpan.FromSeconds(60);

    public IReadOnlyList<Result> Run(IReadOnlyList<string> jobs)
    {
        var results = new List<Result>();
        var open = new Queue<string>(jobs);
        while (open.Count > 0)
        {
            foreach (var result in RunSome([.. open.Take(JobsPerProcess)]))
            {
                results.Add(result);
                told(result);
                open.Dequeue();
            }
        }

        return results;
    }

    private IEnumerable<Result> RunSome(IReadOnlyList<string> jobs)
    {
        using var folder = new ToyFolder();
        var list = folder.File("jobs");
        File.WriteAllLines(list, jobs);
        using var process = Start(arguments(list), folder);
        var lines = new BlockingCollection<string>();
        var errors = new Tail();
        process.OutputDataReceived += (_, line) => { if (line.Data is { } text) lines.Add(text); else lines.CompleteAdding(); };
        process.ErrorDataReceived += (_, line) => errors.Add(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            var done = 0;
            var begun = false;
            var since = Stopwatch.StartNew();
            while (done < jobs.Count)
            {
                var fault = (Verdict?)null;
                var why = "";
                if (lines.TryTake(out var line, 200))
                {
                    var parts = line.Split('\t', 4);
                    if (parts[0] == Child.Begins)
                    {
                        begun = true;
                        since.Restart();
                    }
                    else if (parts[0] == Child.Ends)
                    {
                        begun = false;
                        since.Restart();
                        yield return new Result(jobs[done++], Enum.Parse<Verdict>(parts[2]), parts[3]);
                    }
                }
                else if (lines.IsCompleted)
                {
                    process.WaitForExit();
                    (fault, why) = (Verdict.Crash, $"exit code {process.ExitCode}: {errors}");
                }

                if (fault is null && since.Elapsed > (begun ? limit(jobs[done]) : StartUp))
                    (fault, why) = (Verdict.Hang, $"not done after {since.Elapsed.TotalSeconds:0} s");
                if (fault is null && MemoryOf(process) > MostMemory)
                    (fault, why) = (Verdict.Crash, $"more than {MostMemory >> 30} GiB of memory");
                if (fault is not { } verdict)
                    continue;
                if (!begun && done == 0)
                    throw new InvalidOperationException($"A second process did not come to its first job: {why}");
                yield return new Result(jobs[done], verdict, why);
                yield break;
            }
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }
    }

    private Process Start(string[] arguments, ToyFolder folder)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [typeof(Supervisor).Assembly.Location, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // Small networks: several threads would only wait for each other.
        start.Environment["OMP_NUM_THREADS"] = "1";
        start.Environment["MKL_NUM_THREADS"] = "1";
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        start.Environment["DOTNET_GCHeapHardLimit"] = "0x80000000";
        // What a process that was killed leaves goes with the folder.
        start.Environment["TMPDIR"] = Directory.CreateDirectory(folder.File("temp")).FullName;
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    private static long MemoryOf(Process process)
    {
        try
        {
            process.Refresh();
            return process.HasExited ? 0 : process.WorkingSet64;
        }
        catch (InvalidOperationException)
        {
            // It ended between the two questions.
            return 0;
        }
    }

    /// <summary>The last lines of a process's errors.</summary>
    private sealed class Tail
    {
        private readonly Queue<string> _lines = [];

        public void Add(string? line)
        {
            lock (_lines)
            {
                if (!string.IsNullOrWhiteSpace(line))
                    _lines.Enqueue(line);
                if (_lines.Count > 8)
                    _lines.Dequeue();
            }
        }

        public override string ToString()
        {
            lock (_lines)
                return string.Join(" | ", _lines);
        }
    }
}

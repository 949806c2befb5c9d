using System.Diagnostics;
using System.Globalization;
using MlNetDistill.Hostile.Uses;
using MlNetDistill.Networks;

namespace MlNetDistill.Hostile.Faults;

/// <summary>The system refuses memory that the machine has: an address space limited as by <c>ulimit -v</c>.</summary>
internal static class MemoryCases
{
    // Above what a small fit takes beyond what the process already has, and far below what a large one does.
    private const long Allowance = 600L << 20;

    public static IEnumerable<Case> All
    {
        get
        {
            yield return Case.Refused("no memory: activations of a large batch", () => Limited(() => Sample.Fit(
                Sample.Short() with { Student = NetworkSpec.Mlp(4096, 4096), BatchSize = 30_000 }, Sample.Points(40_000))), "BatchSize", "bytes", "MLP 4096-4096");
            yield return Case.Refused("no memory: weights of a large network", () => Limited(() => Sample.Fit(
                Sample.Short() with { Student = NetworkSpec.Mlp(12_000, 12_000) })), "bytes", "MLP 12000-12000", "smaller network");
            yield return Case.Works("no memory: after a fit that was refused another works", () =>
            {
                try
                {
                    Limited(() => Sample.Fit(Sample.Short() with { Student = NetworkSpec.Mlp(4096, 4096), BatchSize = 30_000 }, Sample.Points(40_000)));
                }
                catch (InvalidOperationException)
                {
                    // Told apart from other errors by the case before.
                }

                Sample.Learns(Sample.Learning());
            });
        }
    }

    private static void Limited(Action act)
    {
        // Libraries, threads and heaps that every fit needs come before the limit.
        Sample.Fit(Sample.Short());
        var before = SoftLimit();
        if (Limit((Status("VmSize") + Allowance).ToString(CultureInfo.InvariantCulture)) is { } whyNot)
            throw new SkippedException(whyNot);
        try
        {
            act();
        }
        finally
        {
            Restore(before);
        }
    }

    // Cases that come later would have the limit too.
    private static void Restore(string limit)
    {
        if (Limit(limit) is { } fault)
            throw new InvalidOperationException($"The limit of the address space could not be set to {limit} again: {fault}");
    }

    /// <summary>Sets the soft limit of this process, which it may raise again.</summary>
    /// <returns>Why that was not possible, or null.</returns>
    private static string? Limit(string bytes)
    {
        try
        {
            using var process = Process.Start("prlimit", ["--pid", Environment.ProcessId.ToString(CultureInfo.InvariantCulture), $"--as={bytes}:"]);
            process.WaitForExit();
            return process.ExitCode == 0 ? null : "prlimit may not limit this process";
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return e.Message;
        }
    }

    /// <summary>A number of bytes, or <c>unlimited</c>.</summary>
    private static string SoftLimit()
    {
        const string Name = "Max address space";
        var line = File.ReadLines("/proc/self/limits").Single(line => line.StartsWith(Name, StringComparison.Ordinal));
        return line[Name.Length..].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[0];
    }

    private static long Status(string name) => 1024 * long.Parse(
        File.ReadLines("/proc/self/status").Single(line => line.StartsWith(name + ":", StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);
}

using System.Globalization;

namespace MlNetDistill.Tests.Support;

/// <summary>The memory that something takes, on Linux.</summary>
internal static class PeakMemory
{
    /// <summary>Bytes of resident memory beyond those before, at the most.</summary>
    public static long Growth(Action run)
    {
        File.WriteAllText("/proc/self/clear_refs", "5");
        var before = Peak();
        run();
        var growth = Peak() - before;
        TestContext.Out.WriteLine($"{growth:N0} bytes beyond {before:N0}");
        return growth;
    }

    private static long Peak() => 1024 * long.Parse(
        File.ReadLines("/proc/self/status").Single(line => line.StartsWith("VmHWM", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);
}

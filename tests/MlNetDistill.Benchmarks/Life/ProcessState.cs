using System.Globalization;

namespace MlNetDistill.Benchmarks;

/// <summary>What a process holds of the machine. Linux only: other systems have no such files.</summary>
/// <param name="ResidentMegabytes">Memory that is resident, in MB.</param>
/// <param name="Handles">Open files, sockets and the like.</param>
/// <param name="Threads">Threads.</param>
/// <param name="TemporaryEntries">Files and folders in its folder for temporary files.</param>
internal sealed record ProcessState(double ResidentMegabytes, int Handles, int Threads, int TemporaryEntries)
{
    /// <param name="process">Its id, or <c>self</c>.</param>
    /// <param name="temporary">Its folder for temporary files.</param>
    public static ProcessState Of(string process, string temporary) => new(
        Status(process, "VmRSS") * 1024 / 1e6,
        Directory.GetFileSystemEntries($"/proc/{process}/fd").Length,
        (int)Status(process, "Threads"),
        Directory.GetFileSystemEntries(temporary, "*", SearchOption.AllDirectories).Length);

    public override string ToString() =>
        FormattableString.Invariant($"{ResidentMegabytes:0} MB resident, {Handles} handles, {Threads} threads, {TemporaryEntries} temporary files and folders");

    private static long Status(string process, string name) => long.Parse(
        File.ReadLines($"/proc/{process}/status").Single(line => line.StartsWith(name + ":", StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);
}

using System.Diagnostics;
using System.Globalization;

namespace MlNetDistill.Hostile.Faults;

/// <summary>A file system of its own in memory (tmpfs), which can be filled and made read-only. Mounting takes an administrator, on Linux.</summary>
internal sealed class SmallDisk : IDisposable
{
    private const int Page = 4096;
    private readonly string _path;

    private SmallDisk(string path) => _path = path;

    /// <summary>Mounts one at a folder.</summary>
    /// <returns>Null if this process may not; the reason then is <paramref name="whyNot"/>.</returns>
    public static SmallDisk? TryMount(string path, int kilobytes, out string whyNot)
    {
        whyNot = OperatingSystem.IsLinux()
            ? Run("mount", "-t", "tmpfs", "-o", string.Create(CultureInfo.InvariantCulture, $"size={kilobytes}k"), "tmpfs", path)
            : "a small disk can be mounted on Linux only";
        return whyNot.Length == 0 ? new SmallDisk(path) : null;
    }

    /// <summary>Writes a file until only some bytes are free.</summary>
    /// <param name="free">Bytes to leave, in whole pages of 4096.</param>
    public void Fill(long free)
    {
        using var file = new FileStream(Path.Combine(_path, "filler"), FileMode.CreateNew);
        var page = new byte[Page];
        for (var drive = new DriveInfo(_path); drive.AvailableFreeSpace > free; file.Flush())
            file.Write(page);
    }

    public void MakeReadOnly()
    {
        if (Run("mount", "-o", "remount,ro", _path) is { Length: > 0 } fault)
            throw new InvalidOperationException(fault);
    }

    /// <summary>Unmounts it, even while a file is open.</summary>
    public void Dispose() => Run("umount", "-l", _path);

    private static string Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            var errors = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? "" : errors.ReplaceLineEndings(" ").Trim();
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return e.Message;
        }
    }
}

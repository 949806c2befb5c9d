namespace MlNetDistill.Core;

/// <summary>
/// A record that is being built, in a file beside its place that one process at a time has open. When that process ends, however it does, the next one
/// may have it and go on.
/// </summary>
internal sealed class PartialFile : IDisposable
{
    private readonly string _path;
    private readonly FileStream _file;

    private PartialFile(string path, FileStream file) => (_path, _file) = (path, file);

    public FileStream File => _file;

    /// <summary>The name under which a record is built.</summary>
    public static string PathFor(string record) => record + ".partial";

    /// <summary>Opens the file, or gives null where another has it.</summary>
    public static PartialFile? TryOpen(string path)
    {
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (IOException e) when (IsInUse(e))
        {
            return null;
        }

        if (IsAt(path, file))
            return new PartialFile(path, file);
        file.Dispose();
        return null;
    }

    /// <summary>Whether a file could not be opened because another has it open.</summary>
    // ERROR_SHARING_VIOLATION and ERROR_LOCK_VIOLATION; EAGAIN of Linux and of macOS.
    public static bool IsInUse(IOException e) => OperatingSystem.IsWindows() ? (e.HResult & 0xFFFF) is 32 or 33 : e.HResult is 11 or 35;

    /// <summary>Closes the finished file and gives it its name, in the place of what was there.</summary>
    public void MoveTo(string record)
    {
        // Windows moves no open file. Elsewhere the lock is held until the file has its name, so that no one takes it for a partial one.
        if (OperatingSystem.IsWindows())
            _file.Dispose();
        for (var patience = 5; ; patience--)
        {
            try
            {
                System.IO.File.Move(_path, record, overwrite: true);
                break;
            }
            catch (IOException) when (OperatingSystem.IsWindows() && patience > 0)
            {
                // Once closed, another process may have opened it, found it finished and given it its name.
                if (!System.IO.File.Exists(_path))
                    break;
                Thread.Sleep(100);
            }
        }

        _file.Dispose();
    }

    /// <summary>Closes the file and takes it away: another has finished the record.</summary>
    public void Delete()
    {
        if (OperatingSystem.IsWindows())
            _file.Dispose();
        System.IO.File.Delete(_path);
        _file.Dispose();
    }

    public void Dispose() => _file.Dispose();

    // Where a lock belongs to the file and not to its name, the file may have been moved to its final name between opening and locking it, and must then not be
    // touched. It is at its path if a time set on one is seen on the other.
    private static bool IsAt(string path, FileStream file)
    {
        if (OperatingSystem.IsWindows())
            return true;
        var before = System.IO.File.GetLastWriteTimeUtc(file.SafeFileHandle);
        // Whole even seconds: some file systems know no finer ones.
        var mark = DateTime.UnixEpoch.AddSeconds(2L * Random.Shared.Next(1, 1 << 30));
        System.IO.File.SetLastWriteTimeUtc(file.SafeFileHandle, mark);
        var same = System.IO.File.GetLastWriteTimeUtc(path) == mark;
        System.IO.File.SetLastWriteTimeUtc(file.SafeFileHandle, before);
        return same;
    }
}

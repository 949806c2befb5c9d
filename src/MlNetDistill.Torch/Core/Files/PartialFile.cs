namespace MlNetDistill.Core;

/// <summary>
/// A file that is still being written, under a temporary name; one process at a time has it open. When that process ends, even by a crash, the next one may open
/// it and continue.
/// </summary>
internal sealed class PartialFile : IDisposable
{
    private readonly string _path;
    private readonly FileStream _file;

    private PartialFile(string path, FileStream file) => (_path, _file) = (path, file);

    public FileStream File => _file;

    /// <summary>The temporary name of the file at <paramref name="path"/>.</summary>
    public static string PathFor(string path) => path + ".partial";

    /// <summary>Opens the file; null if another process has it open.</summary>
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

        if (IsStillAt(path, file))
            return new PartialFile(path, file);
        file.Dispose();
        return null;
    }

    /// <summary>Whether a file could not be opened because another process has it open.</summary>
    // ERROR_SHARING_VIOLATION and ERROR_LOCK_VIOLATION; EAGAIN of Linux and of macOS.
    public static bool IsInUse(IOException e) => OperatingSystem.IsWindows() ? (e.HResult & 0xFFFF) is 32 or 33 : e.HResult is 11 or 35;

    /// <summary>Closes the finished file and renames it, replacing an existing file.</summary>
    public void MoveTo(string path)
    {
        // Windows cannot rename an open file. Elsewhere the lock is held until the file is renamed, so that no process mistakes it for a partial one.
        if (OperatingSystem.IsWindows())
            _file.Dispose();
        for (var retries = 5; ; retries--)
        {
            try
            {
                System.IO.File.Move(_path, path, overwrite: true);
                break;
            }
            catch (IOException) when (OperatingSystem.IsWindows() && retries > 0)
            {
                // After it was closed, another process may have opened it, found it complete and renamed it.
                if (!System.IO.File.Exists(_path))
                    break;
                Thread.Sleep(100);
            }
        }

        _file.Dispose();
    }

    /// <summary>Closes and deletes the file, because another process has finished it.</summary>
    public void Delete()
    {
        if (OperatingSystem.IsWindows())
            _file.Dispose();
        System.IO.File.Delete(_path);
        _file.Dispose();
    }

    public void Dispose() => _file.Dispose();

    // Where a lock belongs to the file and not to its path, another process may have renamed the file to its final name between opening and locking; it must
    // not be changed then. The file is still at its path if a time that is set on the open file can be read at the path.
    private static bool IsStillAt(string path, FileStream file)
    {
        if (OperatingSystem.IsWindows())
            return true;
        var before = System.IO.File.GetLastWriteTimeUtc(file.SafeFileHandle);
        // Even seconds: some file systems store no finer times.
        var mark = DateTime.UnixEpoch.AddSeconds(2L * Random.Shared.Next(1, 1 << 30));
        System.IO.File.SetLastWriteTimeUtc(file.SafeFileHandle, mark);
        var same = System.IO.File.GetLastWriteTimeUtc(path) == mark;
        System.IO.File.SetLastWriteTimeUtc(file.SafeFileHandle, before);
        return same;
    }
}

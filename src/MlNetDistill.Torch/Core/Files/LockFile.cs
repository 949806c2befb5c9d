namespace MlNetDistill.Core;

/// <summary>
/// An empty file beside temporary files, locked while they are in use and deleted when disposed. When the process ends, even by a crash, the lock is released:
/// so the next run can tell leftover files from those that a running process uses.
/// </summary>
internal sealed class LockFile : IDisposable
{
    public const string Extension = ".lock";

    // Between creation and locking, another process may take the file for a leftover and delete it.
    private const int MaxTries = 5;

    private readonly string _path;
    private readonly FileStream _lock;

    private LockFile(string path, FileStream file) => (_path, _lock) = (path, file);

    /// <summary>Its path without <see cref="Extension"/>.</summary>
    public string Base => _path[..^Extension.Length];

    // On Windows an open file can be deleted only if it was opened with this share; elsewhere the share would mean no lock.
    private static FileShare ExclusiveShare => OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None;

    /// <summary>Creates and locks a file.</summary>
    /// <param name="newBase">Returns an unused path, a different one in each call.</param>
    public static LockFile Create(Func<string> newBase)
    {
        for (var tries = MaxTries; ; tries--)
        {
            var path = newBase() + Extension;
            FileStream file;
            try
            {
                file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, ExclusiveShare, bufferSize: 0);
            }
            catch (IOException e) when (tries > 1 && PartialFile.IsInUse(e))
            {
                continue;
            }

            if (tries == 1 || File.Exists(path))
                return new LockFile(path, file);
            file.Dispose();
        }
    }

    /// <summary>Deletes the files that ended processes left in this file's folder.</summary>
    /// <param name="pattern">Search pattern of their lock files, without <see cref="Extension"/>.</param>
    /// <param name="remove">Deletes the files that belong to a lock file, given its <see cref="Base"/>.</param>
    public void RemoveLeftovers(string pattern, Action<string> remove)
    {
        // On a file system without locks, leftovers cannot be recognized.
        if (TryOpen(_path) is { } unlocked)
        {
            unlocked.Dispose();
            return;
        }

        try
        {
            var withHiddenFiles = new EnumerationOptions { AttributesToSkip = FileAttributes.None };
            foreach (var path in Directory.EnumerateFiles(Path.GetDirectoryName(_path)!, pattern + Extension, withHiddenFiles))
            {
                using var leftover = TryOpen(path);
                if (leftover is null)
                    continue;
                remove(path[..^Extension.Length]);
                File.Delete(path);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another process is deleting them too, or they belong to another user. The next run tries again.
        }
    }

    public void Dispose()
    {
        using (_lock)
            File.Delete(_path);
    }

    private static FileStream? TryOpen(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.ReadWrite, ExclusiveShare, bufferSize: 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

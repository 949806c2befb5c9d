
namespace MlNetDistill.Core;

/// <summary>
/// An empty file beside temporary ones, locked while they are in use and removed when disposed. When the process ends, however it does, the lock is gone: by that
/// the next run tells what was left from what a living process is using.
/// </summary>
internal sealed class LockFile : IDisposable
{
    public const string Extension = ".lock";

    // One may be taken for a leftover between its making and its lock, if somebody looks just then.
    private const int Tries = 5;

    private readonly string _path;
    private readonly FileStream _lock;

    private LockFile(string path, FileStream held) => (_path, _lock) = (path, held);

    /// <summary>Its path without <see cref="Extension"/>.</summary>
    public string Base => _path[..^Extension.Length];

    // Windows deletes an open file only if it was opened so; elsewhere that would leave it without a lock.
    private static FileShare ExclusiveShare => OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None;

    /// <summary>Makes one.</summary>
    /// <param name="newBase">Gives a path that nothing has, another in each call.</param>
    public static LockFile Create(Func<string> newBase)
    {
        for (var left = Tries; ; left--)
        {
            var path = newBase() + Extension;
            FileStream held;
            try
            {
                held = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, ExclusiveShare, bufferSize: 0);
            }
            catch (IOException e) when (left > 1 && PartialFile.IsInUse(e))
            {
                continue;
            }

            if (left == 1 || File.Exists(path))
                return new LockFile(path, held);
            held.Dispose();
        }
    }

    /// <summary>Removes what ended processes left in this file's folder.</summary>
    /// <param name="pattern">What the names of their lock files are like, without <see cref="Extension"/>.</param>
    /// <param name="remove">Removes what belongs to a lock file, from its <see cref="Base"/>; nobody uses it.</param>
    public void RemoveLeftovers(string pattern, Action<string> remove)
    {
        // Where a file system knows no locks, no one can tell.
        if (TryOpen(_path) is { } unlocked)
        {
            unlocked.Dispose();
            return;
        }

        try
        {
            var hiddenToo = new EnumerationOptions { AttributesToSkip = FileAttributes.None };
            foreach (var path in Directory.EnumerateFiles(Path.GetDirectoryName(_path)!, pattern + Extension, hiddenToo))
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
            // Another process is removing them too, or they belong to another user. The next run tries again; this one has work to do.
        }
    }

    public void Dispose()
    {
        File.Delete(_path);
        _lock.Dispose();
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

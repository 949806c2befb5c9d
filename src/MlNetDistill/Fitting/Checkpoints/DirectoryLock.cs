using System.Diagnostics;
using System.Globalization;
using MlNetDistill.Core;

namespace MlNetDistill.Fitting;

/// <summary>
/// Keeps two trainings out of one directory. The system releases the lock when the process ends, even by a crash; where a file system has no locks, the process in the owner's
/// file decides.
/// </summary>
internal sealed class DirectoryLock : IDisposable
{
    private const string LockName = "training.lock";
    private const string OwnerName = "training.owner";
    private readonly FileStream _lock;
    private readonly string _owner;

    private DirectoryLock(FileStream file, string owner) => (_lock, _owner) = (file, owner);

    /// <summary>Locks a directory.</summary>
    /// <exception cref="InvalidOperationException">Another training uses it; the message names its process and since when.</exception>
    public static DirectoryLock Take(string directory)
    {
        var (path, owner) = (Path.Combine(directory, LockName), Path.Combine(directory, OwnerName));
        var file = TryOpen(path) ?? throw CreateError(directory, owner, "");
        try
        {
            // Where a second handle can be opened too, the file system has no locks.
            if (TryOpen(path) is { } second)
            {
                second.Dispose();
                if (!IsEnded(owner))
                    throw CreateError(directory, owner, $" The file system has no locks, so a process that ended cannot be told from one on another machine: if it ended, delete '{owner}'.");
            }

            WriteOwner(owner);
            return new DirectoryLock(file, owner);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        try
        {
            // The directory may have vanished.
            if (File.Exists(_owner))
                File.Delete(_owner);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It names a process that ends, and the lock is released in any case. A student that was trained must not be lost over it.
        }
        finally
        {
            _lock.Dispose();
        }
    }

    private static void WriteOwner(string path)
    {
        using var process = Process.GetCurrentProcess();
        File.WriteAllLines(path, [Environment.MachineName, process.Id.ToString(CultureInfo.InvariantCulture), process.StartTime.ToUniversalTime().ToString("O", CultureInfo.InvariantCulture)]);
    }

    private static FileStream? TryOpen(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (IOException e) when (PartialFile.IsInUse(e))
        {
            return null;
        }
    }

    /// <summary>Whether no training is recorded, or its process on this machine has ended.</summary>
    private static bool IsEnded(string owner)
    {
        if (ReadOwner(owner) is not { } process)
            return true;
        if (process.Machine != Environment.MachineName)
            return false;
        try
        {
            using var running = Process.GetProcessById(process.Id);
            return (running.StartTime.ToUniversalTime() - process.Started).Duration() > TimeSpan.FromSeconds(2);
        }
        catch (ArgumentException)
        {
            // There is no such process.
            return true;
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            // It may be this one: nothing is known of a process of another user.
            return false;
        }
    }

    private static InvalidOperationException CreateError(string directory, string owner, string more) => new(
        $"The checkpoint directory '{directory}' is used by another training" +
        (ReadOwner(owner) is { } process ? string.Create(CultureInfo.InvariantCulture, $" (process {process.Id} on {process.Machine}, started {process.Started:yyyy-MM-dd HH:mm:ss} UTC)") : "") +
        $". Wait until it ends, or give each training a directory of its own.{more}");

    // Null if there is none, or it was cut off while it was written.
    private static (string Machine, int Id, DateTime Started)? ReadOwner(string path) =>
        File.Exists(path) && File.ReadAllLines(path) is [var machine, var id, var started] && int.TryParse(id, CultureInfo.InvariantCulture, out var number)
            && DateTime.TryParse(started, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var time) ? (machine, number, time) : null;
}

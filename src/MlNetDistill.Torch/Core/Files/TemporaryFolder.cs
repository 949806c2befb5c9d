namespace MlNetDistill.Core;

/// <summary>
/// A temporary folder for the files exchanged with ML.NET's ONNX transformer; deleted with them when disposed. It is created in MLContext.TempFilePath or, if
/// that has vanished or cannot be written, in the system's temporary folder, so that a model can still be saved hours later. Also deletes folders that killed
/// processes left there.
/// </summary>
internal sealed class TemporaryFolder : IDisposable
{
    private const string Prefix = "MlNetDistill-";
    private readonly LockFile _lock;
    private readonly DirectoryInfo _folder;

    public TemporaryFolder(string preferredParent)
    {
        _lock = TryLockIn(preferredParent) ?? LockIn(System.IO.Path.GetTempPath());
        try
        {
            _lock.RemoveLeftovers($"{Prefix}*", Remove);
            _folder = Directory.CreateDirectory(_lock.Base);
        }
        catch
        {
            _lock.Dispose();
            throw;
        }
    }

    /// <summary>Creates a folder, writes files there and deletes it.</summary>
    /// <param name="preferredParent">MLContext.TempFilePath.</param>
    /// <param name="what">What is written there, for errors: for example <c>the model</c>.</param>
    /// <param name="use">Writes the files, and uses them.</param>
    /// <exception cref="IOException">They cannot be written; the message names the folder.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public static T Use<T>(string preferredParent, string what, Func<TemporaryFolder, T> use)
    {
        using var folder = new TemporaryFolder(preferredParent);
        try
        {
            return use(folder);
        }
        catch (Exception e) when (WriteFailure.FindIn(folder.Path, e) is { } cause)
        {
            throw WriteFailure.CreateTemporary(folder.Parent, what, cause);
        }
    }

    public string Path => _folder.FullName;

    public string Parent => _folder.Parent!.FullName;

    public void Dispose()
    {
        using (_lock)
            _folder.Delete(recursive: true);
    }

    private static void Remove(string folder)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    private static LockFile? TryLockIn(string parent)
    {
        // A missing parent is not created: it may have been deleted on purpose.
        if (!Directory.Exists(parent))
            return null;
        try
        {
            return LockIn(parent);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static LockFile LockIn(string parent) => LockFile.Create(() => System.IO.Path.Combine(System.IO.Path.GetFullPath(parent), $"{Prefix}{Guid.NewGuid():N}"));
}

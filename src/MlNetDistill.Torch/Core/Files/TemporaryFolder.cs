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

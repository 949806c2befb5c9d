namespace MlNetDistill.Core;

/// <summary>
/// A folder of its own for the files that pass between here and ML.NET's ONNX transformer; it goes with them when disposed. It is made where
/// MLContext.TempFilePath says or, so that a model can still be saved hours later, in the system's own temporary folder where that place has
/// vanished or cannot be written. Folders that killed processes left there are removed.
/// </summary>
internal sealed class TemporaryFolder : IDisposable
{
    private const string Prefix = "MlNetDistill-";
    private readonly LockFile _mine;
    private readonly DirectoryInfo _folder;

    public TemporaryFolder(string preferredParent)
    {
        _mine = TryLockIn(preferredParent) ?? LockIn(System.IO.Path.GetTempPath());
        try
        {
            _mine.RemoveLeftovers($"{Prefix}*", Remove);
            _folder = Directory.CreateDirectory(_mine.Base);
        }
        catch
        {
            _mine.Dispose();
            throw;
        }
    }

    public string Path => _folder.FullName;

    public string Parent => _folder.Parent!.FullName;

    public void Dispose()
    {
        using (_mine)
            _folder.Delete(recursive: true);
    }

    private static void Remove(string folder)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    private static LockFile? TryLockIn(string parent)
    {
        // A parent that is not there is not made: whoever removed it does not want it back.
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

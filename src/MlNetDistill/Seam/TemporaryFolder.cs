namespace MlNetDistill.Seam;

/// <summary>
/// A folder of its own for the files that pass between here and ML.NET's ONNX transformer; it goes with them when disposed. It is made where
/// MLContext.TempFilePath says or, so that a model can still be saved hours later, in the system's own temporary folder where that place has
/// vanished or cannot be written.
/// </summary>
internal sealed class TemporaryFolder : IDisposable
{
    private const string Prefix = "MlNetDistill-";
    private readonly DirectoryInfo _folder;

    public TemporaryFolder(string preferredParent) => _folder = TryCreateIn(preferredParent) ?? Directory.CreateTempSubdirectory(Prefix);

    public string Path => _folder.FullName;

    public string Parent => _folder.Parent!.FullName;

    public void Dispose() => _folder.Delete(recursive: true);

    private static DirectoryInfo? TryCreateIn(string parent)
    {
        // A parent that is not there is not made: whoever removed it does not want it back.
        if (!Directory.Exists(parent))
            return null;
        try
        {
            return Directory.CreateDirectory(System.IO.Path.Combine(parent, $"{Prefix}{Guid.NewGuid():N}"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

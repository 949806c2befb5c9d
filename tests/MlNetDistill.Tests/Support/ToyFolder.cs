namespace MlNetDistill.Tests.Support;

/// <summary>A fresh folder that goes when disposed.</summary>
internal sealed class ToyFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("MlNetDistill.Tests-");

    public string Path => _folder.FullName;

    /// <summary>Names of everything in it.</summary>
    public string[] Entries => [.. _folder.EnumerateFileSystemInfos("*", SearchOption.AllDirectories).Select(e => System.IO.Path.GetRelativePath(Path, e.FullName)).Order()];

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => _folder.Delete(recursive: true);
}

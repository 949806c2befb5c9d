using TorchSharp;

namespace MlNetDistill.Fuzz.Running;

/// <summary>What reading must not leave behind: tensors and files.</summary>
internal static class Resources
{
    private const string Descriptors = "/proc/self/fd";

    public static long Tensors => torch.Tensor.TotalCount;

    /// <summary>Number of files of a folder that exist or, where the system lists these, are open.</summary>
    public static int FilesOf(ToyFolder folder)
    {
        var open = Directory.Exists(Descriptors) ? new DirectoryInfo(Descriptors).EnumerateFileSystemInfos() : [];
        return folder.Entries.Length + open.Count(file => file.LinkTarget?.StartsWith(folder.Path, StringComparison.Ordinal) == true);
    }
}

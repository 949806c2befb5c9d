using System.Security.Cryptography;

namespace Service.Scoring;

/// <summary>How a changed file is recognized without reading it: also where the name is a link, or a folder of its path is one that now leads elsewhere.</summary>
internal sealed record FileStamp(DateTime Written, long Bytes)
{
    /// <returns>Null if there is no file that can be opened.</returns>
    public static FileStamp? Of(string path)
    {
        try
        {
            using var file = File.OpenHandle(path);
            return Of(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public static FileStamp Of(Microsoft.Win32.SafeHandles.SafeFileHandle file) => new(File.GetLastWriteTimeUtc(file), RandomAccess.GetLength(file));
}

/// <summary>The content of a model's file, read once: so that what is checked is what is loaded, even if the file is replaced meanwhile.</summary>
/// <param name="Path">Where it was.</param>
/// <param name="Stamp">Which it was.</param>
/// <param name="Sha256">The hash of its content, for people to compare.</param>
internal sealed record ModelFile(string Path, FileStamp Stamp, string Sha256)
{
    public static (ModelFile File, byte[] Content) Read(string path)
    {
        // On Windows too, the file can be replaced while it is read.
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var stamp = FileStamp.Of(stream.SafeFileHandle);
        if (stamp.Bytes > Array.MaxLength)
            throw new InvalidDataException(FormattableString.Invariant($"it has {stamp.Bytes} bytes; at most {Array.MaxLength} can be loaded."));
        var content = new byte[stamp.Bytes];
        stream.ReadExactly(content);
        return (new(path, stamp, Convert.ToHexStringLower(SHA256.HashData(content))), content);
    }
}

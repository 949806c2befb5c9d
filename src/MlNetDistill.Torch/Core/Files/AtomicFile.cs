namespace MlNetDistill.Core;

/// <summary>Files that are whole or not there.</summary>
internal static class AtomicFile
{
    private const string Mark = ".MlNetDistill";
    private const string TemporaryExtension = ".tmp";

    /// <summary>Writes a file beside its place, then gives it its name. What killed processes left beside it goes.</summary>
    public static void Write(string path, Action<Stream> write)
    {
        var full = Path.GetFullPath(path);
        var folder = Path.GetDirectoryName(full)!;
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"'{full}' cannot be written: there is no folder '{folder}'. Create it first.");
        using var mine = LockFile.Create(() => Path.Combine(folder, $".{Path.GetFileName(full)}.{Guid.NewGuid():N}{Mark}"));
        var temporary = mine.Base + TemporaryExtension;
        try
        {
            mine.RemoveLeftovers($".*{Mark}", left => File.Delete(left + TemporaryExtension));
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, full, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}

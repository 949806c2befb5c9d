namespace MlNetDistill.Core;

/// <summary>Writes files atomically: a file is complete or does not exist.</summary>
internal static class AtomicFile
{
    private const string Mark = ".MlNetDistill";
    private const string TemporaryExtension = ".tmp";

    /// <summary>Writes a temporary file in the same folder, then renames it. Also deletes temporary files that killed processes left there.</summary>
    public static void Write(string path, Action<Stream> write)
    {
        var full = Path.GetFullPath(path);
        var folder = Path.GetDirectoryName(full)!;
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"'{full}' cannot be written: the folder '{folder}' does not exist. Create it first.");
        using var fileLock = LockFile.Create(() => Path.Combine(folder, $".{Path.GetFileName(full)}.{Guid.NewGuid():N}{Mark}"));
        var temporary = fileLock.Base + TemporaryExtension;
        try
        {
            fileLock.RemoveLeftovers($".*{Mark}", leftover => File.Delete(leftover + TemporaryExtension));
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

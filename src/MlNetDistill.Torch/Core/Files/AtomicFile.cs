namespace MlNetDistill.Core;

/// <summary>Writes files atomically: a file is complete or does not exist.</summary>
internal static class AtomicFile
{
    private const string Mark = ".MlNetDistill";
    private const string TemporaryExtension = ".tmp";
    private const string Unchanged = "A file that was there before is unchanged.";

    /// <summary>Writes a temporary file in the same folder, then renames it. Also deletes temporary files that killed processes left there.</summary>
    /// <param name="path">The file.</param>
    /// <param name="write">Writes its content.</param>
    /// <param name="what">What the content is, for errors: for example <c>the report</c>.</param>
    public static void Write(string path, Action<Stream> write, string what = "the file")
    {
        var full = Path.GetFullPath(path);
        var folder = Path.GetDirectoryName(full)!;
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"'{full}' cannot be written: the folder '{folder}' does not exist. Create it first.");
        var (written, isComplete) = (0L, false);
        try
        {
            using var fileLock = LockFile.Create(() => Path.Combine(folder, $".{Path.GetFileName(full)}.{Guid.NewGuid():N}{Mark}"));
            var temporary = fileLock.Base + TemporaryExtension;
            try
            {
                fileLock.RemoveLeftovers($".*{Mark}", leftover => File.Delete(leftover + TemporaryExtension));
                WriteAndFlush(temporary, write, ref written);
                File.Move(temporary, full, overwrite: true);
                isComplete = true;
            }
            catch
            {
                Delete(temporary);
                throw;
            }
        }
        // Afterwards only the lock is removed: the new file is in place.
        catch (Exception e) when (!isComplete && WriteFailure.IsPossible(e))
        {
            throw WriteFailure.Create(full, what, written, Unchanged, e);
        }

        FolderFlush.Flush(folder);
    }

    private static void WriteAndFlush(string path, Action<Stream> write, ref long written)
    {
        var handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
        using var stream = new FileStream(handle, FileAccess.ReadWrite);
        try
        {
            write(stream);
            stream.Flush(flushToDisk: true);
        }
        finally
        {
            written = RandomAccess.GetLength(handle);
        }
    }

    private static void Delete(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The folder is gone or cannot be written any more. What the caller must hear is why the file could not be written.
        }
    }
}

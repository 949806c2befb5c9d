namespace MlNetDistill.Cache;

/// <summary>The records in a folder.</summary>
internal static class CacheFolder
{
    // Enough to find a record that was meant, few enough to read at the beginning of a fit.
    private const int MostCompared = 200;

    /// <exception cref="InvalidOperationException">The folder is not there and cannot be made.</exception>
    public static void Make(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw Unwritable(folder, e);
        }
    }

    public static InvalidOperationException Unwritable(string folder, Exception cause) => new(
        $"The folder '{folder}' for teacher caches cannot be written: {cause.Message} Give TeacherCacheOptions.Folder a folder that this user may write to, or leave "
        + "it out to keep the answers for the fit only.",
        cause);

    /// <summary>In what the record that is most like <paramref name="key"/> differs from it, as a sentence; null where the folder holds no readable record.</summary>
    public static string? Nearest(string folder, CacheFileKey key)
    {
        if (!Directory.Exists(folder))
            return null;
        var nearest = Directory.EnumerateFiles(folder, "*.teacher").Order(StringComparer.Ordinal).Take(MostCompared)
            .Select(file => (Name: Path.GetFileName(file), Differences: Differences(file, key)))
            .Where(found => found.Differences.Count > 0)
            .OrderBy(found => found.Differences.Count)
            .FirstOrDefault();
        return nearest.Name is null ? null : $"The nearest, {nearest.Name}, differs in {string.Join(", ", nearest.Differences)}.";
    }

    private static IReadOnlyList<string> Differences(string file, CacheFileKey key)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            using var header = CacheHeader.Read(stream);
            return CacheHeader.Differences(header.RootElement, key);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CacheFormatException)
        {
            // Not one to point at.
            return [];
        }
    }
}

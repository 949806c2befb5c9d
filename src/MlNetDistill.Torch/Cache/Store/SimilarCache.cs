namespace MlNetDistill.Cache;

/// <summary>Explains why no cache in a folder matches.</summary>
internal static class SimilarCache
{
    // Reading more headers at the beginning of a fit would take noticeable time.
    private const int MaxCompared = 200;

    /// <summary>Describes how the most similar cache differs from <paramref name="key"/>, as a sentence; null if the folder has no readable cache.</summary>
    public static string? Describe(string folder, CacheFileKey key)
    {
        if (!Directory.Exists(folder))
            return null;
        var similar = Directory.EnumerateFiles(folder, "*.teacher").Order(StringComparer.Ordinal).Take(MaxCompared)
            .Select(file => (Name: Path.GetFileName(file), Differences: FindDifferences(file, key)))
            .Where(found => found.Differences.Count > 0)
            .OrderBy(found => found.Differences.Count)
            .FirstOrDefault();
        return similar.Name is null ? null : $"The most similar one, {similar.Name}, differs in {string.Join(", ", similar.Differences)}.";
    }

    private static IReadOnlyList<string> FindDifferences(string file, CacheFileKey key)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            return CacheHeader.FindDifferences(CacheHeader.Read(stream), key);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CacheFormatException)
        {
            // An unreadable file explains nothing.
            return [];
        }
    }
}

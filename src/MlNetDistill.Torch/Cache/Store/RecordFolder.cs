namespace MlNetDistill.Cache;

/// <summary>The records in a folder.</summary>
internal static class RecordFolder
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
        $"The folder '{folder}' for teacher records cannot be written: {cause.Message} Give TeacherRecordOptions.Folder a folder that this user may write to, or leave "
        + "it out to keep the answers for the fit only.",
        cause);

    /// <summary>In what the record that is most like <paramref name="key"/> differs from it, as a sentence; null where the folder holds no readable record.</summary>
    public static string? Nearest(string folder, RecordKey key)
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

    private static IReadOnlyList<string> Differences(string file, RecordKey key)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            using var header = RecordHeader.Read(stream);
            return RecordHeader.Differences(header.RootElement, key);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or RecordFaultException)
        {
            // Not one to point at.
            return [];
        }
    }
}

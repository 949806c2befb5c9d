using System.IO.Compression;

namespace MlNetDistill.Fuzz.Mutating;

/// <summary>Changes of what is in a zip, whose own checksums are right afterwards.</summary>
internal static class ZipChanges
{
    private const int MostEntryBytes = 1 << 20;
    private const int LeastCompressed = 256;

    // The same seed gives the same inputs whenever it is used.
    private static readonly DateTimeOffset Time = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Makes one change; what cannot be read as a zip stays as it is.</summary>
    public static byte[] Change(byte[] bytes, Random random)
    {
        if (Read(bytes) is not { Count: > 0 } entries)
            return bytes;
        var at = random.Next(entries.Count);
        var (name, content) = entries[at];
        switch (random.Next(7))
        {
            case 0:
                entries.RemoveAt(at);
                break;
            case 1:
                entries.Add((name, content));
                break;
            case 2:
                entries[at] = (name[..random.Next(name.Length + 1)] + "x", content);
                break;
            case 3:
                entries.Add(("../" + name, []));
                break;
            case 4:
                // Zeros compress to a thousandth.
                entries[at] = (name, new byte[MostEntryBytes]);
                break;
            default:
                entries[at] = (name, content.Length == 0 ? [0] : Damages.Of(content, random).Bytes);
                break;
        }

        return Write(entries);
    }

    /// <summary>The entries of a zip; null if it cannot be read.</summary>
    public static List<(string Name, byte[] Content)>? Read(byte[] bytes)
    {
        try
        {
            using var zip = new ZipArchive(new MemoryStream(bytes), ZipArchiveMode.Read);
            return [.. zip.Entries.Select(entry => (entry.FullName, ReadEntry(entry)))];
        }
        catch (Exception error) when (error is InvalidDataException or IOException or NotSupportedException or ArgumentException or OverflowException)
        {
            return null;
        }
    }

    public static byte[] Write(IEnumerable<(string Name, byte[] Content)> entries)
    {
        var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create))
        {
            foreach (var (name, content) in entries)
            {
                var entry = zip.CreateEntry(name.Length == 0 ? "x" : name, content.Length > LeastCompressed ? CompressionLevel.Fastest : CompressionLevel.NoCompression);
                entry.LastWriteTime = Time;
                using var stream = entry.Open();
                stream.Write(content);
            }
        }

        return bytes.ToArray();
    }

    private static byte[] ReadEntry(ZipArchiveEntry entry)
    {
        if (entry.Length > MostEntryBytes)
            throw new InvalidDataException("The entry is too large.");
        using var stream = entry.Open();
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }
}

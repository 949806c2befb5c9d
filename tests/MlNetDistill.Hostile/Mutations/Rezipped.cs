using System.IO.Compression;

namespace MlNetDistill.Hostile.Mutations;

/// <summary>Changes of what is in a zip. Its own checksums are right afterwards, so that they tell nothing.</summary>
internal static class Rezipped
{
    public static string Damage(string file, Random random)
    {
        var entries = Read(file);
        var at = random.Next(entries.Count);
        string what;
        switch (random.Next(8))
        {
            case 0:
                what = $"without {entries[at].Name}";
                entries.RemoveAt(at);
                break;
            case 1:
                var other = random.Next(entries.Count);
                what = $"contents of {entries[at].Name} and {entries[other].Name} swapped";
                (entries[at], entries[other]) = (entries[at] with { Bytes = entries[other].Bytes }, entries[other] with { Bytes = entries[at].Bytes });
                break;
            case 2:
                what = $"{entries[at].Name} under another name";
                entries[at] = entries[at] with { Name = entries[at].Name + "x" };
                break;
            case 3:
                what = $"{entries[at].Name} twice";
                entries.Add(entries[at]);
                break;
            default:
                while (entries[at].Bytes.Length == 0)
                    at = random.Next(entries.Count);
                var (damage, bytes) = Damages.Of(entries[at].Bytes, random);
                what = $"{entries[at].Name}: {damage}";
                entries[at] = entries[at] with { Bytes = bytes };
                break;
        }

        Write(file, entries);
        return what;
    }

    private static List<Entry> Read(string file)
    {
        using var zip = ZipFile.OpenRead(file);
        return [.. zip.Entries.Select(entry =>
        {
            using var stream = entry.Open();
            using var bytes = new MemoryStream();
            stream.CopyTo(bytes);
            return new Entry(entry.FullName, bytes.ToArray());
        })];
    }

    private static void Write(string file, IEnumerable<Entry> entries)
    {
        File.Delete(file);
        using var zip = ZipFile.Open(file, ZipArchiveMode.Create);
        foreach (var entry in entries)
        {
            // Stored, as archives of TorchScript must be.
            using var stream = zip.CreateEntry(entry.Name, CompressionLevel.NoCompression).Open();
            stream.Write(entry.Bytes);
        }
    }

    private sealed record Entry(string Name, byte[] Bytes);
}

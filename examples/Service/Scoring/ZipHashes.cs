using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace Service.Scoring;

/// <summary>
/// Compares the hashes that <c>SaveAtomically</c> writes into a model's zip, with .NET's own classes. ML.NET does not check a model that it loads, and one with a changed
/// byte may give other scores.
/// </summary>
internal static class ZipHashes
{
    private const string EntryName = "MlNetDistill.sha256";

    /// <returns>Whether there are hashes: <c>Model.Save</c> writes none.</returns>
    /// <exception cref="InvalidDataException">The zip is not what was saved.</exception>
    public static bool Check(byte[] content)
    {
        using var zip = new ZipArchive(new MemoryStream(content));
        if (zip.GetEntry(EntryName) is not { } hashes)
            return false;
        // They are saved uncompressed: longer ones are not what was saved, and would be read into memory.
        var saved = hashes.Length <= content.Length ? Read(hashes).Split('\n', StringSplitOptions.RemoveEmptyEntries) : [];
        var found = zip.Entries.Where(entry => entry != hashes).Select(entry => $"{Hash(entry)}  {entry.FullName}");
        return found.Order(StringComparer.Ordinal).SequenceEqual(saved.Order(StringComparer.Ordinal))
            ? true
            : throw new InvalidDataException("its entries do not match the hashes that were saved with them: it is damaged. Take an undamaged copy.");
    }

    private static string Read(ZipArchiveEntry entry)
    {
        using var data = entry.Open();
        var text = new byte[entry.Length];
        data.ReadExactly(text);
        return Encoding.UTF8.GetString(text);
    }

    private static string Hash(ZipArchiveEntry entry)
    {
        using var data = entry.Open();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 16];
        long length = 0;
        // One that unpacks to more than its stated length is not what was saved, and may be endless.
        for (int read; length <= entry.Length && (read = data.Read(buffer)) > 0; length += read)
            hash.AppendData(buffer, 0, read);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

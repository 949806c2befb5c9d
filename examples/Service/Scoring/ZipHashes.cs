using System.IO.Compression;
using System.Security.Cryptography;

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
        using var text = new StreamReader(hashes.Open());
        var saved = text.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var found = zip.Entries.Where(entry => entry != hashes).Select(entry =>
        {
            using var data = entry.Open();
            return $"{Convert.ToHexStringLower(SHA256.HashData(data))}  {entry.FullName}";
        });
        return found.Order(StringComparer.Ordinal).SequenceEqual(saved.Order(StringComparer.Ordinal))
            ? true
            : throw new InvalidDataException("its entries do not match the hashes that were saved with them: it is damaged. Take an undamaged copy.");
    }
}

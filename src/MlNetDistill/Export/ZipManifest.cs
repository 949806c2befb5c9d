using System.IO.Compression;
using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;
using Microsoft.ML;
using MlNetDistill.Core;

namespace MlNetDistill.Export;

/// <summary>
/// An entry of a saved model's zip with the SHA-256 of all other entries, in the format of <c>sha256sum</c>. ML.NET does not check a zip that it loads, so a changed byte
/// may give other scores; it ignores entries that it does not need.
/// </summary>
internal static class ZipManifest
{
    public const string EntryName = "MlNetDistill.sha256";

    private const int HashDigits = 2 * SHA256.HashSizeInBytes;
    private const string Gap = "  ";

    private const string NoManifest =
        $"it has no entry '{EntryName}' with the hashes of its entries, so it cannot be checked for damage. Save it with mlContext.Model.SaveAtomically, or load it " +
        "unchecked with mlContext.Model.Load.";

    /// <summary>Saves a model with its manifest, so that the path holds either the old file or the whole new one.</summary>
    /// <param name="temporaryParent">MLContext.TempFilePath.</param>
    /// <param name="model">The model.</param>
    /// <param name="inputSchema">The schema of its input.</param>
    /// <param name="path">The zip.</param>
    public static void Save(string temporaryParent, ITransformer model, DataViewSchema inputSchema, string path) => ModelSaving.UseFolder(temporaryParent, folder =>
        AtomicFile.Write(path, stream =>
        {
            ModelSaving.SaveWithin(folder, model, inputSchema, stream);
            AddTo(stream);
        }, "the model"));

    /// <summary>Adds the manifest to a model.</summary>
    /// <param name="model">What <c>Model.Save</c> wrote; can be read, written and sought.</param>
    public static void AddTo(Stream model)
    {
        string manifest;
        model.Position = 0;
        using (var zip = new ZipArchive(model, ZipArchiveMode.Read, leaveOpen: true))
            manifest = string.Concat(zip.Entries.OrderBy(entry => entry.FullName, StringComparer.Ordinal).Select(entry => $"{Sums(entry).Hash}{Gap}{entry.FullName}\n"));
        using var writer = new ZipArchive(model, ZipArchiveMode.Update, leaveOpen: true);
        using var content = writer.CreateEntry(EntryName, CompressionLevel.NoCompression).Open();
        content.Write(Encoding.UTF8.GetBytes(manifest));
    }

    /// <summary>Compares every entry with its CRC-32 and its SHA-256.</summary>
    /// <param name="model">The zip; can be read and sought.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="InvalidDataException">The model is damaged, or has no manifest.</exception>
    public static void Check(Stream model, string name)
    {
        if (FaultOf(model) is { } fault)
            throw new InvalidDataException($"The model {name} cannot be used: {fault}");
    }

    private static string? FaultOf(Stream model)
    {
        const string Remedy = "Take an undamaged copy of it, or save it again.";
        try
        {
            model.Position = 0;
            using var zip = new ZipArchive(model, ZipArchiveMode.Read, leaveOpen: true);
            return Damage(zip, model.Length) switch
            {
                null => null,
                NoManifest => NoManifest,
                var damage => $"{damage}. {Remedy}",
            };
        }
        // All that a zip of arbitrary bytes was seen to end in.
        catch (Exception e) when (e is InvalidDataException or IOException or NotSupportedException or ArgumentException or OverflowException)
        {
            return $"it is not a zip archive, or it is damaged ({e.Message.TrimEnd('.')}). {Remedy}";
        }
    }

    private static string? Damage(ZipArchive zip, long archiveBytes)
    {
        var found = new Dictionary<string, string>();
        foreach (var entry in zip.Entries)
        {
            var (length, checksum, hash) = Sums(entry);
            if (length != entry.Length || checksum != entry.Crc32)
                return $"its entry '{entry.FullName}' does not match its CRC-32, so it is damaged";
            if (!found.TryAdd(entry.FullName, hash))
                return $"it has two entries '{entry.FullName}', so it is damaged";
        }

        if (!found.Remove(EntryName))
            return NoManifest;
        // The manifest is not compressed: a longer one is not what was saved, and would be read into memory.
        var manifest = zip.GetEntry(EntryName)!;
        var expected = manifest.Length <= archiveBytes ? Expected(manifest) : null;
        if (expected is null)
            return $"its entry '{EntryName}' cannot be read";
        return expected.Keys.Except(found.Keys).FirstOrDefault() is { } missing ? $"it lacks the entry '{missing}'"
            : found.Keys.Except(expected.Keys).FirstOrDefault() is { } surplus ? $"it has an entry '{surplus}' that was not saved with it"
            : found.FirstOrDefault(entry => entry.Value != expected[entry.Key]) is { Key: { } other } ? $"its entry '{other}' does not match its SHA-256, so it is not what was saved"
            : null;
    }

    private static Dictionary<string, string>? Expected(ZipArchiveEntry manifest)
    {
        using var content = new StreamReader(manifest.Open(), Encoding.UTF8);
        var hashes = new Dictionary<string, string>();
        foreach (var line in content.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length <= HashDigits + Gap.Length || !hashes.TryAdd(line[(HashDigits + Gap.Length)..], line[..HashDigits]))
                return null;
        }

        return hashes;
    }

    private static (long Length, uint Checksum, string Hash) Sums(ZipArchiveEntry entry)
    {
        using var content = entry.Open();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var checksum = new Crc32();
        var buffer = new byte[1 << 16];
        long length = 0;
        // Reading beyond the length stated in the archive would only cost memory and time.
        for (int read; length <= entry.Length && (read = content.Read(buffer)) > 0; length += read)
        {
            checksum.Append(buffer.AsSpan(0, read));
            hash.AppendData(buffer, 0, read);
        }

        return (length, checksum.GetCurrentHashAsUInt32(), Convert.ToHexStringLower(hash.GetHashAndReset()));
    }
}

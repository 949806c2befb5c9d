using System.IO.Compression;
using System.IO.Hashing;
using System.Text;
using System.Text.RegularExpressions;

namespace MlNetDistill.Teachers;

/// <summary>
/// Checks of a TorchScript file without libtorch: that it is a TorchScript archive, complete and undamaged, of plausible size, and with known operators only.
/// libtorch itself compares no checksums.
/// </summary>
internal static partial class ScriptArchive
{
    private const string Remedy = "Load the network in Python and export it with torch.jit.script(model.eval()).save(path), or torch.jit.trace with an example.";

    // PyTorch compresses only code. Files that unpack to fewer bytes than UncheckedBytes may be compressed to any ratio.
    private const int MaxCompressionRatio = 20;
    private const long UncheckedBytes = 256L << 20;
    private const long MaxCodeBytes = 64L << 20;

    private static readonly string[] KnownNamespaces = ["prim", "prims", "aten", "quantized", "_quantized", "prepacked", "sparse", "mkldnn", "cuda"];

    /// <summary>Reads the whole file.</summary>
    /// <returns>The unpacked size in bytes.</returns>
    /// <exception cref="InvalidOperationException">It is not a TorchScript archive, is damaged, unpacks to far more than its size, or uses operators of an extension.</exception>
    public static long Check(string path, string title, CancellationToken cancellation)
    {
        if (Directory.Exists(path))
            throw new InvalidOperationException($"{title} is a folder; give the path of a file.");
        if (!File.Exists(path))
            throw new InvalidOperationException($"{title} does not exist (looked for at '{Path.GetFullPath(path)}').");
        // A pipe has no length either, and opening it would block.
        if (new FileInfo(path).Length == 0)
            throw new InvalidOperationException($"{title} is empty. {Remedy}");
        try
        {
            using var archive = ZipFile.OpenRead(path);
            CheckNames([.. archive.Entries.Select(e => e.FullName)], title);
            var unpacked = CheckSize(archive, new FileInfo(path).Length, title);
            foreach (var entry in archive.Entries)
                CheckChecksum(entry, title, cancellation);
            CheckOperators(archive, title);
            return unpacked;
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw new InvalidOperationException($"{title} is not a complete zip file, so it is no TorchScript archive or it is cut short, like an interrupted download " +
                $"(old files of torch.save are no zip files either). {Remedy}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException($"{title} cannot be read: {e.Message}", e);
        }
    }

    private static void CheckNames(IReadOnlyList<string> names, string title)
    {
        if (names.Any(n => n.EndsWith("serialized_exported_program.json", StringComparison.Ordinal) || n.Contains("/models/", StringComparison.Ordinal)))
            throw new InvalidOperationException($"{title} was written by torch.export and is not TorchScript. {Remedy}");
        if (!names.Any(n => n.EndsWith("/constants.pkl", StringComparison.Ordinal)) || !names.Any(n => n.Contains("/code/", StringComparison.Ordinal)))
        {
            throw new InvalidOperationException($"{title} contains no TorchScript{(names.Any(n => n.EndsWith("data.pkl", StringComparison.Ordinal))
                ? ", but a pickle of torch.save (weights without the network, or a Python object)" : "")}. {Remedy}");
        }

        if (names.GroupBy(n => n).FirstOrDefault(g => g.Count() > 1)?.Key is { } twice)
            throw CreateDamageError(title, $"it contains '{twice}' more than once");
    }

    private static long CheckSize(ZipArchive archive, long fileBytes, string title)
    {
        if (archive.Entries.Any(e => e.Length < 0 || e.CompressedLength < 0 || e.CompressedLength > fileBytes))
            throw CreateDamageError(title, "the sizes of its entries are impossible");
        var (unpacked, code) = (archive.Entries.Sum(e => (decimal)e.Length), archive.Entries.Where(IsCode).Sum(e => (decimal)e.Length));
        if (code > MaxCodeBytes || (unpacked > UncheckedBytes && unpacked > (decimal)fileBytes * MaxCompressionRatio))
        {
            throw new InvalidOperationException(FormattableString.Invariant(
                $"{title} has {fileBytes:N0} bytes and would unpack to {unpacked:N0}, {code:N0} of them code. PyTorch does not compress weights: another program compressed it, ") +
                $"or it was made to exhaust the memory. {Remedy}");
        }

        return (long)Math.Min(unpacked, long.MaxValue);
    }

    private static void CheckChecksum(ZipArchiveEntry entry, string title, CancellationToken cancellation)
    {
        var (checksum, length) = (new Crc32(), 0L);
        using var content = entry.Open();
        var buffer = new byte[1 << 16];
        for (int count; length <= entry.Length && (count = content.Read(buffer)) > 0; length += count)
        {
            cancellation.ThrowIfCancellationRequested();
            checksum.Append(buffer.AsSpan(0, count));
        }

        if (length != entry.Length || checksum.GetCurrentHashAsUInt32() != entry.Crc32)
            throw CreateDamageError(title, $"the checksum of '{entry.FullName}' does not match its content");
    }

    private static InvalidOperationException CreateDamageError(string title, string why) =>
        new($"{title} is damaged: {why}. Copy or download it again, or export it again.");

    private static bool IsCode(ZipArchiveEntry entry) => entry.FullName.EndsWith(".py", StringComparison.Ordinal);

    private static void CheckOperators(ZipArchive archive, string title)
    {
        var foreign = archive.Entries.Where(IsCode).SelectMany(Operators).Distinct().Order(StringComparer.Ordinal).ToList();
        if (foreign.Count > 0)
        {
            throw new InvalidOperationException($"{title} calls operators that libtorch itself does not have: {string.Join(", ", foreign)}. Extensions cannot be " +
                "loaded; export a network without them, or as ONNX.");
        }
    }

    private static List<string> Operators(ZipArchiveEntry entry)
    {
        using var reader = new StreamReader(entry.Open(), Encoding.UTF8);
        List<string> operators = [];
        // Line by line, as code may be compressed to a small part of its size.
        while (reader.ReadLine() is { } line)
            operators.AddRange(Operator().Matches(line).Where(m => !KnownNamespaces.Contains(m.Groups[1].Value)).Select(m => $"{m.Groups[1].Value}::{m.Groups[2].Value}"));
        return operators;
    }

    [GeneratedRegex(@"(?<![\w.])ops\.(\w+)\.(\w+)")]
    private static partial Regex Operator();
}

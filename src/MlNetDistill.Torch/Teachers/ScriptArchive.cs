using System.IO.Compression;
using System.Text.RegularExpressions;

namespace MlNetDistill.Teachers;

/// <summary>
/// What can be told of a TorchScript file without libtorch: whether it is one, and whether its operators are known. libtorch throws what TorchSharp does not
/// catch, and so ends the process, for a script with an operator that it does not have.
/// </summary>
internal static partial class ScriptArchive
{
    private const string Remedy = "Load the network in Python and export it with torch.jit.script(model.eval()).save(path), or torch.jit.trace with an example.";
    private static readonly string[] BuiltIn = ["prim", "prims", "aten", "quantized", "_quantized", "prepacked", "sparse", "mkldnn", "cuda"];

    /// <exception cref="InvalidOperationException">It is none, or has operators of an extension.</exception>
    public static void Check(string path, string title)
    {
        if (Directory.Exists(path))
            throw new InvalidOperationException($"{title} is a folder; name a file.");
        if (!File.Exists(path))
            throw new InvalidOperationException($"{title} does not exist (looked for at '{Path.GetFullPath(path)}').");
        try
        {
            using var archive = ZipFile.OpenRead(path);
            CheckEntries(archive, title);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw new InvalidOperationException($"{title} is no TorchScript archive, or it is cut short: it is not a whole zip file, as older pickles of torch.save " +
                $"and interrupted downloads are not. {Remedy}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException($"{title} cannot be read: {e.Message}", e);
        }
    }

    private static void CheckEntries(ZipArchive archive, string title)
    {
        var names = archive.Entries.Select(e => e.FullName).ToList();
        if (names.Any(n => n.EndsWith("serialized_exported_program.json", StringComparison.Ordinal) || n.Contains("/models/", StringComparison.Ordinal)))
            throw new InvalidOperationException($"{title} was written by torch.export and is no TorchScript. {Remedy}");
        if (!names.Any(n => n.EndsWith("/constants.pkl", StringComparison.Ordinal)) || !names.Any(n => n.Contains("/code/", StringComparison.Ordinal)))
        {
            throw new InvalidOperationException($"{title} holds no TorchScript{(names.Any(n => n.EndsWith("data.pkl", StringComparison.Ordinal))
                ? " but a pickle of torch.save, weights without the network or a Python object" : "")}. {Remedy}");
        }

        var foreign = archive.Entries.Where(e => e.FullName.EndsWith(".py", StringComparison.Ordinal)).SelectMany(Operators).Distinct().Order().ToList();
        if (foreign.Count > 0)
        {
            throw new InvalidOperationException($"{title} calls operators that libtorch itself does not have: {string.Join(", ", foreign)}. Extensions cannot be " +
                "loaded; export a network without them, or as ONNX.");
        }
    }

    private static List<string> Operators(ZipArchiveEntry entry)
    {
        using var reader = new StreamReader(entry.Open());
        return [.. Operator().Matches(reader.ReadToEnd()).Where(m => !BuiltIn.Contains(m.Groups[1].Value)).Select(m => $"{m.Groups[1].Value}::{m.Groups[2].Value}")];
    }

    [GeneratedRegex(@"(?<![\w.])ops\.(\w+)\.(\w+)")]
    private static partial Regex Operator();
}

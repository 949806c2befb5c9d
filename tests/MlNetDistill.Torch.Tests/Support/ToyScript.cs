using System.IO.Compression;
using System.Text;

namespace MlNetDistill.Tests;

/// <summary>TorchScript archives of the tests, and changed ones with right checksums.</summary>
internal static class ToyScript
{
    public static string Path(string file) => System.IO.Path.Combine(AppContext.BaseDirectory, "Scripts", file);

    /// <summary>Writes an archive of the same entries with other content.</summary>
    /// <param name="path">Where to.</param>
    /// <param name="of">The archive it is made of.</param>
    /// <param name="change">Name and content of an entry to its new content.</param>
    /// <param name="add">Adds entries.</param>
    public static void Write(string path, string of, Func<string, byte[], byte[]> change, Action<ZipArchive>? add = null)
    {
        using var source = ZipFile.OpenRead(Path(of));
        using var target = ZipFile.Open(path, ZipArchiveMode.Create);
        foreach (var entry in source.Entries)
        {
            using var content = new MemoryStream();
            using (var stream = entry.Open())
                stream.CopyTo(content);
            using var changed = target.CreateEntry(entry.FullName, CompressionLevel.NoCompression).Open();
            changed.Write(change(entry.FullName, content.ToArray()));
        }

        add?.Invoke(target);
    }

    /// <summary>The perceptron with another text in its code.</summary>
    public static void WriteCode(string path, string text, string instead)
    {
        var found = false;
        Write(path, "mlp.pt", (name, content) =>
        {
            var code = name.EndsWith(".py", StringComparison.Ordinal) ? Encoding.UTF8.GetString(content) : "";
            found |= code.Contains(text, StringComparison.Ordinal);
            return code == "" ? content : Encoding.UTF8.GetBytes(code.Replace(text, instead, StringComparison.Ordinal));
        });
        if (!found)
            throw new ArgumentException($"There is no '{text}' in the code.", nameof(text));
    }
}

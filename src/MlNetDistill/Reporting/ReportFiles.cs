using System.Text;
using MlNetDistill.Core;

namespace MlNetDistill.Reporting;

/// <summary>Writes the files of a report into a folder.</summary>
internal static class ReportFiles
{
    /// <param name="folder">The folder, which is created if it does not exist.</param>
    /// <param name="name">Name of the files, without extension.</param>
    /// <param name="html">The page.</param>
    /// <param name="json">Its numbers.</param>
    public static void Write(string folder, string name, Func<string> html, Func<string> json)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        WriteFailure.CreateFolder(folder, "the report");
        Write(Path.Combine(folder, $"{name}.html"), html());
        Write(Path.Combine(folder, $"{name}.json"), json());
    }

    private static void Write(string path, string text) => AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)), "the report");
}

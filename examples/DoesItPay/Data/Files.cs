using Quickstart.Data;

namespace DoesItPay.Data;

/// <summary>What the readers of files have in common.</summary>
internal static class Files
{
    /// <summary>Share of the rows that are test rows, in sets without a split of their own.</summary>
    public const double TestShare = 0.2;

    /// <summary>The seed by which they are drawn: the same test rows in every run.</summary>
    public const int TestSeed = 1;

    /// <summary>The folder of a data set.</summary>
    public static string Folder(string data, string name)
    {
        var folder = Path.Combine(data, name);
        return Directory.Exists(folder) ? folder : throw new UsageException($"--data must name a folder of data sets, among them '{name}'; there is no '{folder}'.");
    }

    /// <summary>The lines of a file that are not empty.</summary>
    public static IEnumerable<string> Lines(string data, string name, string file)
    {
        var path = Path.Combine(Folder(data, name), file);
        return File.Exists(path) ? File.ReadLines(path).Where(line => line.Length > 0) : throw new UsageException($"There is no '{path}'.");
    }

    /// <summary>Pixels from -1 to 1, so that trees, networks and made-up rows all read the same numbers.</summary>
    public static Record[] Images(Row<byte>[] rows) =>
        [.. rows.Select(row => new Record { Label = row.Label, Numbers = [.. row.Features.Select(pixel => (pixel / 127.5f) - 1)] })];
}

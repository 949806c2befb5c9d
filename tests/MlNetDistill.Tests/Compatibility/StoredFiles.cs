using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Compatibility;

/// <summary>Files that a version of the library wrote, and the values that it read from them.</summary>
internal static class StoredFiles
{
    public const string Version = "0.1.0";
    private const string ValuesFile = "values.json";

    private static readonly string Folder = Path.Combine(Repository.Root, "tests", "MlNetDistill.Tests", "Compatibility", Version);

    /// <summary>Rows to score. They must never change.</summary>
    public static StoredRow[] Rows { get; } =
        [.. Enumerable.Range(0, 12).Select(row => new StoredRow { Features = [.. Enumerable.Range(0, 4).Select(column => (((row * 7) + (column * 3)) % 11 / 4f) - 1)] })];

    public static string PathOf(string name) => Path.Combine(Folder, name);

    public static IDataView View(MLContext context) => context.Data.LoadFromEnumerable(Rows);

    /// <summary>The values that the version that wrote a file read from it.</summary>
    public static double[][] ReadValues(string name)
    {
        using var file = JsonDocument.Parse(File.ReadAllText(PathOf(ValuesFile)));
        return file.RootElement.GetProperty(name).Deserialize<double[][]>()!;
    }

    public static void WriteValues(string folder, IReadOnlyDictionary<string, double[][]> values) =>
        File.WriteAllText(Path.Combine(folder, ValuesFile), $"{{\n{string.Join(",\n", values.Select(v => $"  {JsonSerializer.Serialize(v.Key)}: {JsonSerializer.Serialize(v.Value)}"))}\n}}\n");
}

/// <summary>A row to score.</summary>
internal sealed class StoredRow
{
    [VectorType(4)]
    public float[] Features { get; set; } = [];
}

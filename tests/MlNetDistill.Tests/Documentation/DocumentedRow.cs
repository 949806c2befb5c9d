using Microsoft.ML.Data;

namespace MlNetDistill.Tests.Documentation;

/// <summary>A row for the blocks of the pages that use rows and do not say what is in them.</summary>
public sealed class DocumentedRow
{
    public string Label { get; set; } = "";

    [VectorType(4)]
    public float[] Features { get; set; } = [];

    internal static DocumentedRow[] Draw(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i => new DocumentedRow
        {
            Label = "ABC"[i % 3].ToString(),
            Features = [.. Enumerable.Range(0, 4).Select(f => (f == i % 3 ? 2f : 0f) + (float)random.NextDouble())],
        })];
    }
}

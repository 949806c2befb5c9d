using Microsoft.ML.Data;

namespace SearchExample;

/// <summary>A row of numbers whose class follows from a few products and thresholds: easy for boosted trees, harder for a small network.</summary>
internal sealed class GeneratedRow
{
    public const int Width = 12;

    public string Label { get; set; } = "";

    [VectorType(Width)]
    public float[] Features { get; set; } = [];

    public static GeneratedRow[] Draw(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            float[] x = [.. Enumerable.Range(0, Width).Select(_ => (2 * random.NextSingle()) - 1)];
            var first = (x[0] * x[1] > 0 ? 1 : 0) + (x[2] > 0.3f ? 2 : 0);
            var second = (x[3] * x[3]) + (x[4] * x[5]) > 0.3f ? 4 : 0;
            // One label in ten is wrong.
            var label = random.Next(10) == 0 ? random.Next(8) : first + second;
            return new GeneratedRow { Label = $"class {label}", Features = x };
        })];
    }
}

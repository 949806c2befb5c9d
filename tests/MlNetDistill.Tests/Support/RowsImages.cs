using Microsoft.ML.Data;

namespace MlNetDistill.Tests.Support;

/// <summary>An 8×8 image of bytes: one class is bright above, the other below.</summary>
internal sealed class Picture
{
    public string Label { get; set; } = "";

    [VectorType(64)]
    public byte[] Features { get; set; } = [];

    public static Picture[] Some(int count = 64, int seed = 3)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i => new Picture
        {
            Label = i % 2 == 0 ? "above" : "below",
            Features = [.. Enumerable.Range(0, 64).Select(p => (byte)((p < 32 == (i % 2 == 0) ? 140 : 0) + random.Next(100)))],
        })];
    }
}

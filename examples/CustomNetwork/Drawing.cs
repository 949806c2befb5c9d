using Microsoft.ML.Data;

namespace CustomNetwork;

/// <summary>A noisy grey drawing of a ring, a cross or a box, somewhere in the image.</summary>
internal sealed class Drawing
{
    public const int Side = 12;

    private static readonly string[] Names = ["ring", "cross", "box"];

    public string Label { get; set; } = "";

    [VectorType(1, Side, Side)]
    public byte[] Pixels { get; set; } = [];

    public static Drawing[] Make(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i => Draw(Names[i % Names.Length], random))];
    }

    private static Drawing Draw(string label, Random random)
    {
        double Between(double low, double high) => low + ((high - low) * random.NextDouble());
        var (x, y, radius, ink, noise) = (Between(4, 8), Between(4, 8), Between(2.5, 4), Between(70, 160), Between(40, 90));
        return new Drawing
        {
            Label = label,
            Pixels = [.. Enumerable.Range(0, Side * Side).Select(p =>
            {
                var (across, down) = (Math.Abs((p % Side) + 0.5 - x), Math.Abs((p / Side) + 0.5 - y));
                var distance = label switch
                {
                    "ring" => Math.Abs(double.Hypot(across, down) - radius),
                    "cross" => Math.Max(Math.Min(across, down), Math.Max(across, down) - radius),
                    _ => Math.Abs(Math.Max(across, down) - radius),
                };
                return (byte)Math.Clamp((distance < 0.7 ? ink : 0) + Between(0, noise), 0, 255);
            })],
        };
    }
}

namespace DoesItPay.Data;

/// <summary>The README's letters, made by the program: 16 measurements of a letter that is written in one of two ways.</summary>
internal static class Glyphs
{
    private const int Letters = 26;
    private const int Ways = 2;
    private const int Measurements = 16;

    public static DataSet Create(bool quick) => new("glyphs", "Glyphs (made)", Draw(quick ? 780 : 5200, seed: 1), Draw(quick ? 1040 : 5200, seed: 2));

    private static Record[] Draw(int count, int seed)
    {
        var (shapes, random) = (new Random(1), new Random(seed));
        var ways = Enumerable.Range(0, Letters * Ways * Measurements).Select(_ => shapes.NextSingle()).Chunk(Measurements).ToArray();
        return [.. Enumerable.Range(0, count).Select(i => new Record
        {
            Label = $"{(char)('A' + (i % Letters))}",
            Numbers = [.. ways[i % ways.Length].Select(value => value + (0.8f * random.NextSingle()))],
        })];
    }
}

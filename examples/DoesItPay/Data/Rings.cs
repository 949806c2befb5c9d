namespace DoesItPay.Data;

/// <summary>A small table, made by the program: the distance from the middle decides the class, and eight columns say nothing. A tenth of the labels is wrong.</summary>
internal static class Rings
{
    private const int Columns = 12;
    private const int Telling = 4;
    private const double WrongLabels = 0.1;
    private static readonly double[] Edges = [1.55, 2.15];

    public static DataSet Create(bool quick) => new("rings", "Rings (made, small)", Draw(quick ? 400 : 1000, seed: 1), Draw(quick ? 1000 : 5000, seed: 2));

    private static Record[] Draw(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            float[] numbers = [.. Enumerable.Range(0, Columns).Select(_ => (float)Normal(random))];
            var distance = Math.Sqrt(numbers.Take(Telling).Sum(value => value * value));
            var ring = random.NextDouble() < WrongLabels ? random.Next(Edges.Length + 1) : Edges.Count(edge => distance > edge);
            return new Record { Label = $"ring {ring}", Numbers = numbers };
        })];
    }

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}

using DoesItPay.Data;

namespace DoesItPay.Training;

/// <summary>
/// Rows made up as AutoGluon's spunge does: copies of rows, in which a tenth of the columns (none with fewer than ten) have another row's value, and then a tenth of the
/// numbers have noise of a tenth of their column's deviation.
/// </summary>
internal static class Spunge
{
    public const string Description = "spunge, 5 rows for each, at most 100,000";

    private const int SizeFactor = 5;
    private const int MostRows = 100_000;
    private const double Share = 0.1;
    private const double Noise = 0.1;

    public static int Count(Record[] rows) => Math.Min(SizeFactor * rows.Length, MostRows);

    public static Record[] Rows(Record[] rows, int seed)
    {
        var random = new Random(seed);
        var deviations = Deviations(rows);
        return [.. Enumerable.Range(0, Count(rows)).Select(i => Change(rows[i % rows.Length], rows, deviations, random))];
    }

    private static Record Change(Record row, Record[] rows, double[] deviations, Random random)
    {
        var (numbers, texts) = ((float[])row.Numbers.Clone(), (string[])row.Texts.Clone());
        int[] columns = [.. Enumerable.Range(0, numbers.Length + texts.Length)];
        random.Shuffle(columns);
        foreach (var column in columns.Take((int)(Share * columns.Length)))
        {
            var other = rows[random.Next(rows.Length)];
            if (column < numbers.Length)
                numbers[column] = other.Numbers[column];
            else
                texts[column - numbers.Length] = other.Texts[column - numbers.Length];
        }

        for (var i = 0; i < numbers.Length; i++)
        {
            if (random.NextDouble() < Share)
                numbers[i] += (float)(Noise * deviations[i] * Normal(random));
        }

        return new Record { Numbers = numbers, Texts = texts };
    }

    private static double[] Deviations(Record[] rows) => [.. Enumerable.Range(0, rows[0].Numbers.Length).Select(column =>
    {
        var mean = rows.Average(row => row.Numbers[column]);
        return Math.Sqrt(rows.Average(row => (row.Numbers[column] - mean) * (row.Numbers[column] - mean)));
    })];

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}

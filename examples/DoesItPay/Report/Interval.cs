using static System.FormattableString;

namespace DoesItPay.Report;

/// <summary>A paired difference in percentage points with its 95 % interval.</summary>
/// <param name="Mean">The mean over test rows and seeds.</param>
/// <param name="Low">The 2.5th percentile of the bootstrap.</param>
/// <param name="High">The 97.5th percentile.</param>
internal sealed record Interval(double Mean, double Low, double High)
{
    private const int Replicates = 2000;
    private const int Seed = 1;

    public bool IsAboveZero => Low > 0;

    public bool IsBelowZero => High < 0;

    /// <summary>
    /// The difference of two students that were measured on the same test rows with the same seeds. A replicate draws seeds and, apart from them, test rows, both with
    /// replacement, and always takes both students' answers: seeds and rows are what another trial would have others of.
    /// </summary>
    /// <param name="seeds">For each seed, whether each test row is right, with the one student and with the other.</param>
    public static Interval OfDifference(IReadOnlyList<(bool[] Mine, bool[] Other)> seeds)
    {
        sbyte[][] differences = [.. seeds.Select(pair => pair.Mine.Zip(pair.Other, (mine, other) => (sbyte)((mine ? 1 : 0) - (other ? 1 : 0))).ToArray())];
        var random = new Random(Seed);
        var rows = differences[0].Length;
        var sums = new int[rows];
        var means = new double[Replicates];
        for (var replicate = 0; replicate < Replicates; replicate++)
        {
            Array.Clear(sums);
            for (var draw = 0; draw < differences.Length; draw++)
            {
                var drawn = differences[random.Next(differences.Length)];
                for (var row = 0; row < rows; row++)
                    sums[row] += drawn[row];
            }

            long total = 0;
            for (var draw = 0; draw < rows; draw++)
                total += sums[random.Next(rows)];
            means[replicate] = 100.0 * total / rows / differences.Length;
        }

        Array.Sort(means);
        return new Interval(100 * differences.Average(seed => seed.Average(value => (double)value)), means[(int)(0.025 * Replicates)], means[(int)(0.975 * Replicates) - 1]);
    }

    public override string ToString() => Invariant($"{Mean:+0.00;-0.00;0.00} ({Low:+0.00;-0.00;0.00} to {High:+0.00;-0.00;0.00})");
}

namespace MlNetDistill.Evaluation;

/// <summary>What a model costs the application that scores with it: time, memory, size.</summary>
public sealed record ModelCost
{
    /// <summary>Time of a row through a <c>PredictionEngine</c>, warm: the latency of a single request.</summary>
    public required Latency SingleRow { get; init; }

    /// <summary>Time of a row through <c>Transform</c> of many rows, warm: each measurement is a pass over all rows, divided by their number.</summary>
    public required Latency Batch { get; init; }

    /// <summary>Bytes of the saved model.</summary>
    public required long ZipBytes { get; init; }

    /// <summary>
    /// Peak growth of the process's working set, in bytes, while the model was loaded from its zip and scored rows. A process that has free memory grows less, so to
    /// publish this figure, measure in a process that has done nothing else, as <c>examples/Quickstart</c> does.
    /// </summary>
    public required long PeakMemoryBytes { get; init; }

    /// <summary>A table of times and sizes.</summary>
    public override string ToString() => string.Join(
        Environment.NewLine,
        TextTable.Format(
            ["Time of a row", "median", "95 % within", "measured"],
            ["  PredictionEngine", .. SingleRow.Cells],
            ["  Transform of many rows", .. Batch.Cells]),
        TextTable.Format(
            ["Saved model", Figures.Bytes(ZipBytes)],
            ["Growth of memory", Figures.Bytes(PeakMemoryBytes)]));
}

/// <summary>Times of a row in microseconds.</summary>
/// <param name="Median">The median, µs.</param>
/// <param name="P95">The 95th percentile, µs.</param>
/// <param name="Measurements">Number of measurements.</param>
public sealed record Latency(double Median, double P95, int Measurements)
{
    internal static Latency FromTimes(double[] times)
    {
        Array.Sort(times);
        var (lower, upper) = (times[(times.Length - 1) / 2], times[times.Length / 2]);
        return new Latency((lower + upper) / 2, times[(int)Math.Ceiling(0.95 * times.Length) - 1], times.Length);
    }

    internal string[] Cells => [Figures.Microseconds(Median), Figures.Microseconds(P95), $"{Figures.Count(Measurements)} times"];

    /// <summary>Both times and how often they were measured.</summary>
    public override string ToString() =>
        $"median {Figures.Microseconds(Median)}, 95 % within {Figures.Microseconds(P95)}, measured {Figures.Count(Measurements)} times";
}

namespace MlNetDistill;

/// <summary>How a <see cref="BatchScorer"/> scores.</summary>
public sealed record BatchScoringOptions
{
    /// <summary>
    /// Most rows that are scored at once, from 1; 1,024 by default. A cursor holds so many rows of every requested column.
    /// </summary>
    public int BatchSize { get; init; } = 1024;

    /// <summary>Threads that score a batch, from 1; 0, the default, for ONNX Runtime's choice, and one for each processor core for the last layer.</summary>
    public int Threads { get; init; }

    /// <summary>The settings.</summary>
    public override string ToString() => FormattableString.Invariant($"batches of {BatchSize} rows, {(Threads == 0 ? "threads by the number of cores" : Threads == 1 ? "1 thread" : $"{Threads} threads")}");

    internal void Validate()
    {
        var faults = new List<string>();
        if (BatchSize < 1)
            faults.Add(FormattableString.Invariant($"BatchSize must be at least 1; was {BatchSize}."));
        if (Threads < 0)
            faults.Add(FormattableString.Invariant($"Threads must be at least 0; was {Threads}."));
        if (faults.Count > 0)
            throw new ArgumentOutOfRangeException("options", string.Join(Environment.NewLine, faults));
    }
}

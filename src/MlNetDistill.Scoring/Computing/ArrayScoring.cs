namespace MlNetDistill.Computing;

/// <summary>Scores rows in arrays.</summary>
internal static class ArrayScoring
{
    public static int Score<T>(StudentNetwork network, ReadOnlySpan<T> features, Span<float> scores)
        where T : unmanaged
    {
        var (width, length) = (network.FeatureLength, network.ScoreLength);
        if (network.IsByte != (typeof(T) == typeof(byte)))
            throw new ArgumentException($"The student reads {(network.IsByte ? "bytes" : "floats")}; found {typeof(T).Name}.", nameof(features));
        if (features.Length % width != 0)
        {
            throw new ArgumentException(
                FormattableString.Invariant($"features must hold rows of {width} values; found {features.Length} values, which is no multiple."), nameof(features));
        }

        var rows = features.Length / width;
        if (scores.Length < (long)rows * length)
        {
            throw new ArgumentException(
                FormattableString.Invariant($"scores must have place for {rows} rows of {length} values; found {scores.Length}."), nameof(scores));
        }

        var batch = network.Rent();
        try
        {
            for (var start = 0; start < rows; start += network.BatchSize)
            {
                var count = Math.Min(network.BatchSize, rows - start);
                features.Slice(start * width, count * width).CopyTo(((Batch<T>)batch).Features);
                batch.Compute(count);
                batch.Scores.AsSpan(0, count * length).CopyTo(scores[(start * length)..]);
            }
        }
        finally
        {
            network.Return(batch);
        }

        return rows;
    }
}

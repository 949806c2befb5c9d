using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>Statistics of sparse rows, of the stored elements alone: the same numbers as of the rows written out.</summary>
internal static class StoredStatistics
{
    /// <summary>The sum and the sum of squares of each feature over the rows at some positions.</summary>
    public static (double[] Sums, double[] Squares) SumFeatures(ISparseSource rows, Tensor positions, int width)
    {
        var (sums, squares) = (new double[width], new double[width]);
        foreach (var position in ISparseSource.Enumerate(positions))
            rows.ReadStored(position, Add);
        return (sums, squares);

        void Add(ReadOnlySpan<int> columns, ReadOnlySpan<float> values)
        {
            for (var i = 0; i < columns.Length; i++)
            {
                sums[columns[i]] += values[i];
                squares[columns[i]] += (double)values[i] * values[i];
            }
        }
    }

    /// <summary>Least and largest value of each feature over the rows at some positions.</summary>
    public static (float[] Least, float[] Most) FindRanges(ISparseSource rows, Tensor positions, int width)
    {
        var (least, most, stored) = (new float[width], new float[width], new long[width]);
        foreach (var position in ISparseSource.Enumerate(positions))
            rows.ReadStored(position, Add);
        for (var column = 0; column < width; column++)
        {
            // A feature that some row does not store is 0 there.
            if (stored[column] < positions.shape[0])
                (least[column], most[column]) = (Math.Min(least[column], 0), Math.Max(most[column], 0));
        }

        return (least, most);

        void Add(ReadOnlySpan<int> columns, ReadOnlySpan<float> values)
        {
            for (var i = 0; i < columns.Length; i++)
            {
                var column = columns[i];
                (least[column], most[column]) = stored[column]++ == 0
                    ? (values[i], values[i])
                    : (Math.Min(least[column], values[i]), Math.Max(most[column], values[i]));
            }
        }
    }

    /// <summary>The largest absolute value of a feature.</summary>
    public static float FindLargest(ISparseSource rows, long count)
    {
        var largest = 0f;
        for (var position = 0L; position < count; position++)
            rows.ReadStored(position, Add);
        return largest;

        void Add(ReadOnlySpan<int> columns, ReadOnlySpan<float> values)
        {
            foreach (var value in values)
                largest = Math.Max(largest, Math.Abs(value));
        }
    }
}

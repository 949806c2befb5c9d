using MlNetDistill.Core;
using MlNetDistill.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>Means and deviations of a training set's rows, for the scaling inside a network.</summary>
internal static class InputStatisticsFactory
{
    // Values read at a time: 32 MiB as 64-bit floats.
    private const int ChunkValues = 1 << 22;

    /// <summary>The scaling that <paramref name="scaling"/> asks for, or null for none. Only the rows in <paramref name="positions"/> count.</summary>
    public static InputStatistics? Compute(IRowSource set, Tensor positions, InputScaling scaling)
    {
        if (scaling == InputScaling.None || (scaling == InputScaling.Auto && !set.IsByte))
            return null;
        using var scope = NewDisposeScope();
        var (sum, squares, count) = set is ISparseSource sparse ? SumStored(sparse, positions, set.Shape.Length) : Sum(set, positions);
        var mean = sum.DivideBy(count);
        var variance = squares.DivideBy(count).sub(mean.mul(mean)).ClampMin(0);
        var deviation = variance.sqrt();
        // A constant input carries no information; dividing by 1 leaves it at 0 instead of at infinity.
        using var least = 1e-6.ToScalar();
        deviation = where(deviation.lt(least), ones_like(deviation), deviation);
        return new InputStatistics(Floats(mean), Floats(deviation));
    }

    /// <summary>The sum and the sum of squares of each input, and the number of its values.</summary>
    private static (Tensor Sum, Tensor Squares, double Count) Sum(IRowSource set, Tensor positions)
    {
        long[] axes = set.Shape.IsImage ? [0, 2, 3] : set.IsByte ? [0, 1] : [0];
        Tensor? sum = null, squares = null;
        double count = 0;
        var chunk = Math.Max(1, ChunkValues / set.Shape.Length);
        foreach (var rows in Chunks.Split(positions, chunk))
        {
            using var inner = NewDisposeScope();
            var x = set.Gather(rows, set.Device).to(float64);
            var s = x.sum(axes);
            count += x.numel() / (double)s.numel();
            sum = (sum is null ? s : sum.Add(s)).MoveToOuterDisposeScope();
            squares = (squares is null ? x.mul(x).sum(axes) : squares.Add(x.mul(x).sum(axes))).MoveToOuterDisposeScope();
        }

        return (sum!, squares!, count);
    }

    private static (Tensor Sum, Tensor Squares, double Count) SumStored(ISparseSource set, Tensor positions, int width)
    {
        var (sums, squares) = StoredStatistics.SumFeatures(set, positions, width);
        return (tensor(sums, device: CPU), tensor(squares, device: CPU), positions.shape[0]);
    }

    private static float[] Floats(Tensor values) => values.to(float32).cpu().reshape(-1).data<float>().ToArray();
}

using System.Numerics.Tensors;

namespace MlNetDistill.Evaluation;

/// <summary>Divergences between two rows of probabilities, in nats.</summary>
internal static class Divergences
{
    // The smallest normal double, so that a class with probability 0 in both rows adds nothing.
    private const double Tiny = 2.2250738585072014e-308;

    /// <summary>KL(p ‖ q) = Σ p (log p − log q), at least 0; rounding can give less.</summary>
    public static double KullbackLeibler(RowProbabilities p, RowProbabilities q)
    {
        var sum = 0.0;
        for (var c = 0; c < p.Shares.Length; c++)
            sum += p.Shares[c] * (p.Logs[c] - q.Logs[c]);
        return Math.Max(0, sum);
    }

    /// <summary>½ KL(p ‖ m) + ½ KL(q ‖ m) with m = (p + q) / 2.</summary>
    public static double JensenShannon(RowProbabilities p, RowProbabilities q, Span<double> scratch)
    {
        TensorPrimitives.Add<double>(p.Shares, q.Shares, scratch);
        TensorPrimitives.Multiply(scratch, 0.5, scratch);
        TensorPrimitives.Max(scratch, Tiny, scratch);
        TensorPrimitives.Log(scratch, scratch);
        var sum = 0.0;
        for (var c = 0; c < scratch.Length; c++)
            sum += (p.Shares[c] * (p.Logs[c] - scratch[c])) + (q.Shares[c] * (q.Logs[c] - scratch[c]));
        return Math.Clamp(sum / 2, 0, Math.Log(2));
    }

    /// <summary>Mean over the classes of (p − q)².</summary>
    public static double SquaredDifference(RowProbabilities p, RowProbabilities q)
    {
        var distance = TensorPrimitives.Distance<double>(p.Shares, q.Shares);
        return distance * distance / p.Shares.Length;
    }
}

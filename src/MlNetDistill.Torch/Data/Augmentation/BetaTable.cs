using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>Samples Beta(α, α), α in [0.001, 1000], from random words by a table of its quantiles, in one lookup for all rows of a batch; torch can sample it only from a generator.</summary>
internal sealed class BetaTable : IDisposable
{
    /// <summary>Cells between quantiles; values within a cell are assumed to be uniform.</summary>
    private const int Cells = 4096;

    // Points of the numeric integral, eight for each quantile of the half that is integrated.
    private const int Points = 4 * Cells;

    private readonly Tensor _quantiles;
    private readonly Tensor _widths;

    public BetaTable(double alpha, Device device)
    {
        using var scope = NewDisposeScope();
        var quantiles = Quantiles(alpha);
        _quantiles = tensor(quantiles, float64, device).DetachFromDisposeScope();
        _widths = tensor(quantiles.Zip(quantiles.Skip(1), (from, to) => to - from).ToArray(), float64, device).DetachFromDisposeScope();
    }

    /// <summary>Shares in [0, 1] for random words, 64-bit floats of the words' shape.</summary>
    public Tensor Sample(Tensor words)
    {
        using var scope = NewDisposeScope();
        var place = AugmentationDraws.ToUniform(words).MultiplyBy(Cells);
        var cell = place.to(int64);
        var within = place.sub(cell.to(float64));
        return _quantiles.index_select(0, cell).Add(_widths.index_select(0, cell).mul(within)).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _quantiles.Dispose();
        _widths.Dispose();
    }

    /// <summary>The quantiles 0, 1/4096, …, 1 of Beta(α, α), the first and the last a little inside.</summary>
    internal static double[] Quantiles(double alpha)
    {
        // ∫ (x(1-x))^(α-1) dx up to x = ½; the rest follows by symmetry. With x = t^(1/a), a = min(α, 1), the pole that a density with α < 1 has at
        // 0 is gone: x^(α-1) dx is then dt times a constant, which the normalization removes. The factor 4 scales the peak to 1, against underflow.
        var a = Math.Min(alpha, 1);
        var end = Math.Pow(0.5, a);
        double ToShare(double t) => Math.Pow(t, 1 / a);
        double Density(double t) => Math.Pow(alpha < 1 ? 1 - ToShare(t) : 4 * t * (1 - t), alpha - 1);

        var mass = new double[Points + 1];
        for (var i = 1; i <= Points; i++)
            mass[i] = mass[i - 1] + Density(end * (i - 0.5) / Points);

        double Quantile(double cells)
        {
            var wanted = mass[Points] * cells / (Cells / 2);
            var found = Array.BinarySearch(mass, wanted);
            var point = Math.Clamp(found < 0 ? ~found : found, 1, Points);
            return ToShare(end * (point - ((mass[point] - wanted) / (mass[point] - mass[point - 1]))) / Points);
        }

        var quantiles = new double[Cells + 1];
        for (var q = 1; q < Cells / 2; q++)
            quantiles[q] = Quantile(q);
        // The end is placed so that the middle of the first cell is exact: with 0, a large α, whose shares all lie close to ½, would have outliers.
        quantiles[0] = Math.Max(0, (2 * Quantile(0.5)) - quantiles[1]);
        quantiles[Cells / 2] = 0.5;
        for (var q = 0; q < Cells / 2; q++)
            quantiles[Cells - q] = 1 - quantiles[q];
        return quantiles;
    }
}

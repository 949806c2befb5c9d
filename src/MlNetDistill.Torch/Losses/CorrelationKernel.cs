using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>How <see cref="CorrelationCongruenceLoss"/> measures the correlation of two rows.</summary>
public abstract class CorrelationKernel
{
    private CorrelationKernel() { }

    /// <summary>|mean of x - mean of y|, the distance of mean activations.</summary>
    public static CorrelationKernel Mmd { get; } = new MmdKernel();

    /// <summary>x · y.</summary>
    public static CorrelationKernel Bilinear { get; } = new BilinearKernel();

    /// <summary>
    /// The Taylor series of exp(-γ ‖x - y‖²) for vectors of length 1: Σ_{p=0..order} exp(-2γ) (2γ)^p / p! · (x · y)^p.
    /// Order 2 and γ = 0.4 are what torchdistill's sample configuration uses.
    /// </summary>
    /// <param name="order">The highest power P, at least 1.</param>
    /// <param name="gamma">γ, above 0.</param>
    public static CorrelationKernel GaussianTaylor(int order = 2, double gamma = 0.4)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(order, 1);
        return new TaylorKernel(order, ValidateGamma(gamma));
    }

    /// <summary>exp(-γ ‖x - y‖²). Distances are computed from inner products, so scale the features to unit length in single precision.</summary>
    /// <param name="gamma">γ, above 0.</param>
    public static CorrelationKernel Gaussian(double gamma = 0.4) => new GaussianKernel(ValidateGamma(gamma));

    /// <summary>The kernel of every pair of rows.</summary>
    /// <param name="features">B×D.</param>
    /// <returns>B×B.</returns>
    internal abstract Tensor Matrix(Tensor features);

    private static double ValidateGamma(double gamma) => gamma > 0 && double.IsFinite(gamma)
        ? gamma
        : throw new ArgumentOutOfRangeException(nameof(gamma), FormattableString.Invariant($"Gamma must be above 0. It was {gamma}."));

    private static Tensor InnerProducts(Tensor features) => features.mm(features.t());

    private sealed class MmdKernel : CorrelationKernel
    {
        public override string ToString() => "MMD";

        internal override Tensor Matrix(Tensor features)
        {
            var means = features.mean([1], true);
            return means.sub(means.t()).abs();
        }
    }

    private sealed class BilinearKernel : CorrelationKernel
    {
        public override string ToString() => "bilinear";

        internal override Tensor Matrix(Tensor features) => InnerProducts(features);
    }

    private sealed class TaylorKernel(int order, double gamma) : CorrelationKernel
    {
        private readonly double[] _coefficients = Coefficients(order, gamma);

        public override string ToString() => FormattableString.Invariant($"Gaussian by a Taylor series (order {order}, gamma {gamma})");

        // Horner's scheme: two operations for each power.
        internal override Tensor Matrix(Tensor features)
        {
            var products = InnerProducts(features);
            var sum = products.MultiplyBy(_coefficients[^1]).Add(_coefficients[^2]);
            for (var p = _coefficients.Length - 3; p >= 0; p--)
                sum = sum.mul(products).Add(_coefficients[p]);
            return sum;
        }

        private static double[] Coefficients(int order, double gamma)
        {
            var coefficients = new double[order + 1];
            coefficients[0] = Math.Exp(-2 * gamma);
            for (var p = 1; p <= order; p++)
                coefficients[p] = coefficients[p - 1] * 2 * gamma / p;
            return coefficients;
        }
    }

    private sealed class GaussianKernel(double gamma) : CorrelationKernel
    {
        public override string ToString() => FormattableString.Invariant($"Gaussian (gamma {gamma})");

        internal override Tensor Matrix(Tensor features)
        {
            var products = InnerProducts(features);
            var squares = products.diagonal();
            var distances = squares.unsqueeze(1).Add(squares.unsqueeze(0)).sub(products.MultiplyBy(2));
            // Rounding may leave a distance just below 0.
            return distances.ClampMin(0).MultiplyBy(-gamma).exp();
        }
    }
}

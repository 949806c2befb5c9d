using static System.FormattableString;

namespace MlNetDistill;

/// <summary>A figure measured on some rows, with the confidence interval of what it would be on other rows of the same kind.</summary>
/// <param name="Value">The figure on these rows.</param>
/// <param name="Lower">Lower end of the interval; null where none was asked for.</param>
/// <param name="Upper">Upper end of the interval; null where none was asked for.</param>
/// <remarks>
/// Intervals are percentiles of a Poisson bootstrap over the rows (Chamandy et al. 2012). They say nothing of what another seed or other
/// training rows would have given, and of few rows, or where nearly all are alike, they are narrower than they should be.
/// Of a share that is 0 or 1 the interval goes as far as the exact one.
/// </remarks>
public readonly record struct Estimate(double Value, double? Lower = null, double? Upper = null)
{
    /// <summary>The figure itself.</summary>
    public static implicit operator double(Estimate estimate) => estimate.Value;

    /// <inheritdoc/>
    public override string ToString() => Lower is null ? Invariant($"{Value:0.0000}") : Invariant($"{Value:0.0000} ({Lower:0.0000} to {Upper:0.0000})");
}

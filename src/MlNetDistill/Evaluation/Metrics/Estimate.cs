namespace MlNetDistill.Evaluation;

/// <summary>A figure measured on some rows, with a confidence interval for other rows of the same kind.</summary>
/// <param name="Value">The figure on these rows.</param>
/// <param name="Lower">Lower end of the interval; null without bootstrap replicates.</param>
/// <param name="Upper">Upper end of the interval; null without bootstrap replicates.</param>
/// <remarks>
/// Intervals are percentiles of a Poisson bootstrap over the rows (Chamandy et al. 2012). They do not cover what another seed or other training rows would give. With
/// few rows, or if nearly all rows have the same result, they are too narrow. The interval of a share that is 0 or 1 is as wide as the exact one.
/// </remarks>
public readonly record struct Estimate(double Value, double? Lower = null, double? Upper = null)
{
    /// <summary>The figure itself.</summary>
    public static implicit operator double(Estimate estimate) => estimate.Value;

    /// <inheritdoc/>
    public override string ToString() => Figures.WithInterval(this, Figures.Number);
}

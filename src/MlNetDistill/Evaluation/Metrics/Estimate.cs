using static System.FormattableString;

namespace MlNetDistill.Evaluation;

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
    public override string ToString() => Lower is null ? Text(Value) : $"{Text(Value)} ({Text(Lower)} to {Text(Upper)})";

    // The third part is for what rounds to 0: without it a little below 0 would be -0.0000.
    private static string Text(double? value) => Invariant($"{value:0.0000;-0.0000;0.0000}");
}

using MlNetDistill.Evaluation;

namespace MlNetDistill.Reporting;

/// <summary>A logarithmic scale of rates that ends at 1.</summary>
/// <param name="low">Its start, a power of ten below 1.</param>
internal sealed class RateScale(double low) : IScale
{
    private const double Smallest = 1e-6;
    private const int MaximumTicks = 5;

    /// <summary>A scale from the decade of the smallest rate above 0, or from a millionth.</summary>
    public static RateScale FromSmallest(double rate) => new(Math.Pow(10, Math.Floor(Math.Log10(Math.Clamp(rate, Smallest, 0.1)) + 1e-9)));

    public double Low => low;

    public IEnumerable<double> Ticks
    {
        get
        {
            var decades = (int)Math.Round(-Math.Log10(low));
            var step = (decades + MaximumTicks - 1) / MaximumTicks;
            return Enumerable.Range(0, decades + 1).Where(decade => decade % step == 0).Select(decade => Math.Pow(10, -decade)).Reverse();
        }
    }

    public double Clamp(double rate) => Math.Clamp(rate, low, 1);

    public double Position(double value) => 1 - (Math.Log(value) / Math.Log(low));

    public string Text(double tick) => Figures.Compact(tick);
}

using System.Globalization;

namespace MlNetDistill.Reporting;

/// <summary>A linear scale with round numbers: its start, its end, and the step of its ticks.</summary>
internal sealed record Scale(double Low, double High, double Step) : IScale
{
    private const double MinimumRange = 0.02;

    /// <summary>0 to 100 %, in fifths.</summary>
    public static readonly Scale Shares = new(0, 1, 0.2) { IsPercent = true };

    private bool IsPercent { get; init; }

    /// <summary>A scale that contains all values, with about <paramref name="ticks"/> ticks.</summary>
    public static Scale FromValues(IEnumerable<double> values, int ticks, double smallestStep = 0)
    {
        var (low, high) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (var value in values.Where(double.IsFinite))
            (low, high) = (Math.Min(low, value), Math.Max(high, value));
        if (low > high)
            (low, high) = (0, 1);
        // A constant needs a range around it.
        if (high - low <= 1e-9 * Math.Max(Math.Abs(low), Math.Abs(high)))
            (low, high) = low == 0 ? (0, 1) : (low - (Math.Abs(low) / 2), high + (Math.Abs(high) / 2));
        var rough = Math.Max((high - low) / ticks, smallestStep);
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var step = Math.Max(new[] { 1.0, 2, 5, 10 }.First(s => s * power >= rough * 0.999) * power, smallestStep);
        return new(Math.Floor((low / step) + 1e-9) * step, Math.Ceiling((high / step) - 1e-9) * step, step);
    }

    /// <summary>A scale in percent that contains all shares and stays within 0 and 100 %.</summary>
    public static Scale FromShares(IEnumerable<double> shares, int ticks)
    {
        List<double> all = [.. shares.Where(double.IsFinite)];
        // A small difference must not look large, and a single share needs a range around it.
        if (all.Count > 0 && MinimumRange - (all.Max() - all.Min()) is > 0 and var missing)
            all.AddRange([Math.Max(0, all.Min() - (missing / 2)), Math.Min(1, all.Max() + (missing / 2))]);
        return FromValues(all, ticks) with { IsPercent = true };
    }

    public IEnumerable<double> Ticks => Enumerable.Range(0, (int)Math.Round((High - Low) / Step) + 1).Select(i => Low + (i * Step));

    public double Position(double value) => (value - Low) / (High - Low);

    public string Text(double tick)
    {
        if (IsPercent)
            return $"{new Scale(100 * Low, 100 * High, 100 * Step).Text(100 * tick)} %";
        if (Math.Abs(tick) < Step / 1e6)
            return "0";
        if (Step < 1e-4 || Math.Abs(tick) >= 1e6)
            return tick.ToString("0.##E+0", CultureInfo.InvariantCulture);
        var decimals = Math.Max(0, (int)-Math.Floor(Math.Log10(Step) + 1e-9));
        return tick.ToString("F" + decimals, CultureInfo.InvariantCulture);
    }
}

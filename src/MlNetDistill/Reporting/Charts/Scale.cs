using System.Globalization;

namespace MlNetDistill.Reporting;

/// <summary>An axis of round numbers: where it begins, where it ends, and the step of its ticks.</summary>
internal sealed record Scale(double Low, double High, double Step)
{
    /// <summary>All shares, in fifths.</summary>
    public static readonly Scale Shares = new(0, 1, 0.2);

    /// <summary>A scale that holds all values; <paramref name="ticks"/> is about how many ticks there are.</summary>
    public static Scale Over(IEnumerable<double> values, int ticks, double smallestStep = 0)
    {
        var (low, high) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (var value in values.Where(double.IsFinite))
            (low, high) = (Math.Min(low, value), Math.Max(high, value));
        if (low > high)
            (low, high) = (0, 1);
        // What is constant needs some room all the same.
        if (high - low <= 1e-9 * Math.Max(Math.Abs(low), Math.Abs(high)))
            (low, high) = low == 0 ? (0, 1) : (low - (Math.Abs(low) / 2), high + (Math.Abs(high) / 2));
        var rough = Math.Max((high - low) / ticks, smallestStep);
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var step = Math.Max(new[] { 1.0, 2, 5, 10 }.First(s => s * power >= rough * 0.999) * power, smallestStep);
        return new(Math.Floor((low / step) + 1e-9) * step, Math.Ceiling((high / step) - 1e-9) * step, step);
    }

    public IEnumerable<double> Ticks => Enumerable.Range(0, (int)Math.Round((High - Low) / Step) + 1).Select(i => Low + (i * Step));

    /// <summary>Where a value is, as a share of the way from low to high.</summary>
    public double At(double value) => (value - Low) / (High - Low);

    public string Text(double tick)
    {
        if (Math.Abs(tick) < Step / 1e6)
            return "0";
        if (Step < 1e-4 || Math.Abs(tick) >= 1e6)
            return tick.ToString("0.##E+0", CultureInfo.InvariantCulture);
        var decimals = Math.Max(0, (int)-Math.Floor(Math.Log10(Step) + 1e-9));
        return tick.ToString("F" + decimals, CultureInfo.InvariantCulture);
    }
}

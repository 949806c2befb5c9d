using System.Globalization;
using static System.FormattableString;

namespace MlNetDistill.Evaluation;

/// <summary>Formats numbers for people, the same in every culture.</summary>
internal static class Figures
{
    public static string Percent(double share) => Invariant($"{100 * share:0.00} %");

    public static string Points(double share) => Invariant($"{100 * share:0.00} points");

    /// <summary>A change, with its sign, in points.</summary>
    public static string Change(double share) => Math.Round(100 * share, 2) == 0 ? "0.00" : Invariant($"{100 * share:+0.00;−0.00}");

    // The third part is for values that round to 0: without it, a small negative one would be -0.0000.
    public static string Number(double value) => Invariant($"{value:0.0000;-0.0000;0.0000}");

    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A number of things: <c>1 row</c>, <c>2 rows</c>; give <paramref name="many"/> for an irregular plural.</summary>
    public static string Count(long count, string one, string? many = null) => $"{Count(count)} {(count == 1 ? one : many ?? one + "s")}";

    public static string Microseconds(double time) => time.ToString(time < 99.95 ? "0.0" : "N0", CultureInfo.InvariantCulture) + " µs";

    public static string Bytes(double bytes) => bytes switch
    {
        < 1024 => Invariant($"{bytes:0} bytes"),
        < 1024 * 1024 => Invariant($"{bytes / 1024:0.0} KiB"),
        < 1024 * 1024 * 1024 => Invariant($"{bytes / (1024 * 1024):0.0} MiB"),
        _ => Invariant($"{bytes / (1024 * 1024 * 1024):0.00} GiB"),
    };

    /// <summary>How many times as much, with two digits: times are not measured more precisely.</summary>
    public static string Ratio(double ratio) => ratio < 9.95 ? Invariant($"{ratio:0.0}") : Invariant($"{Math.Round(ratio):N0}");

    /// <summary>A loss or a rate of any size: <c>0.05</c>, <c>8 × 10⁻⁹</c>.</summary>
    public static string Compact(double value)
    {
        if (Math.Abs(value) is 0 or (>= 0.001 and < 100_000))
            return value.ToString("0.####", CultureInfo.InvariantCulture);
        var parts = value.ToString("0.##E+0", CultureInfo.InvariantCulture).Split('E');
        return parts is [var digits, var power] ? $"{digits} × 10{string.Concat(power.Select(Superscript))}" : parts[0];
    }

    /// <summary>All digits, for programs.</summary>
    public static string Exact(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>A figure with its interval, if it has one.</summary>
    public static string WithInterval(Estimate estimate, Func<double, string> format) =>
        estimate is { Lower: { } lower, Upper: { } upper } ? $"{format(estimate)} ({WithoutUnit(format(lower))} to {WithoutUnit(format(upper))})" : format(estimate);

    /// <summary>A formatted figure without its unit.</summary>
    public static string WithoutUnit(string figure) => figure.Split(' ')[0];

    private static string Superscript(char c) => c switch
    {
        '+' => "",
        '-' => "⁻",
        _ => $"{"⁰¹²³⁴⁵⁶⁷⁸⁹"[c - '0']}",
    };
}

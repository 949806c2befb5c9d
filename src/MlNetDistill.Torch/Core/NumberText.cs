using System.Globalization;
using static System.FormattableString;

namespace MlNetDistill.Core;

/// <summary>Numbers as text, the same in every culture.</summary>
internal static class NumberText
{
    public static string Join<T>(IEnumerable<T> numbers)
        where T : IFormattable => string.Join(", ", numbers.Select(number => number.ToString(null, CultureInfo.InvariantCulture)));

    /// <summary>A number with its noun: "1 epoch", "2 epochs".</summary>
    public static string Count(long count, string noun) => Invariant($"{count} {noun}{(count == 1 ? "" : "s")}");

    public static string Duration(TimeSpan time) => time.TotalSeconds switch
    {
        < 60 => Invariant($"{time.TotalSeconds:0.0} s"),
        < 3600 => Invariant($"{(int)time.TotalMinutes} min {time.Seconds:00} s"),
        _ => Invariant($"{(int)time.TotalHours} h {time.Minutes:00} min"),
    };
}

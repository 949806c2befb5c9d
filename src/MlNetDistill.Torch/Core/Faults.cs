using static System.FormattableString;

namespace MlNetDistill.Core;

/// <summary>
/// Checks of settings. Each returns nothing, or one sentence about an invalid value; null, for a setting that is left out, is valid. One exception then names
/// all faults.
/// </summary>
internal static class Faults
{
    /// <exception cref="ArgumentOutOfRangeException">There are faults; the message names each on a line of its own.</exception>
    public static void ThrowIfAny(IEnumerable<string> faults, string parameter)
    {
        var lines = Lines(faults);
        if (lines.Length > 0)
            throw new ArgumentOutOfRangeException(parameter, lines);
    }

    /// <summary>Each fault once, on a line of its own; empty where there are none.</summary>
    public static string Lines(IEnumerable<string> faults) => string.Join(Environment.NewLine, faults.Distinct());

    public static IEnumerable<string> Above0(string name, double? value) =>
        Unless(value is null or (> 0 and < double.PositiveInfinity), $"{name} must be above 0; was {value}.");

    public static IEnumerable<string> Above0(string name, TimeSpan? value) => Unless(value is null || value > TimeSpan.Zero, $"{name} must be above 0; was {value}.");

    public static IEnumerable<string> AtLeast0(string name, double? value) =>
        Unless(value is null or (>= 0 and < double.PositiveInfinity), $"{name} must be at least 0; was {value}.");

    public static IEnumerable<string> AtLeast(long least, string name, long? value) => Unless(value is null || value >= least, $"{name} must be at least {least}; was {value}.");

    public static IEnumerable<string> Share(string name, double? value) => Unless(value is null or (>= 0 and <= 1), $"{name} must be in [0, 1]; was {value}.");

    public static IEnumerable<string> ShareBelow1(string name, double? value) => Unless(value is null or (>= 0 and < 1), $"{name} must be in [0, 1); was {value}.");

    public static IEnumerable<string> Defined<T>(string name, T value)
        where T : struct, Enum =>
        Unless(Enum.IsDefined(value), $"{name} must be {string.Join(", ", Enum.GetNames<T>()[..^1])} or {Enum.GetNames<T>()[^1]}; was {value}.");

    public static IEnumerable<string> Name(string name, string what, string? value) =>
        Unless(!string.IsNullOrWhiteSpace(value), $"{name} must be {what}; was {(value is null ? "null" : $"'{value}'")}.");

    /// <param name="name">The setting.</param>
    /// <param name="what">What it names, and the meaning of null.</param>
    /// <param name="value">Its value.</param>
    public static IEnumerable<string> NameOrNull(string name, string what, string? value) => value is null ? [] : Name(name, what, value);

    /// <summary>The sentence <paramref name="fault"/>, unless the setting is <paramref name="valid"/>.</summary>
    public static IEnumerable<string> Unless(bool valid, FormattableString fault) => valid ? [] : [Invariant(fault)];
}

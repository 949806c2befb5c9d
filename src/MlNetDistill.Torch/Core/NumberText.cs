using System.Globalization;

namespace MlNetDistill.Core;

/// <summary>Numbers as text, alike in every culture.</summary>
internal static class NumberText
{
    public static string Listed<T>(IEnumerable<T> numbers)
        where T : IFormattable => string.Join(", ", numbers.Select(number => number.ToString(null, CultureInfo.InvariantCulture)));
}

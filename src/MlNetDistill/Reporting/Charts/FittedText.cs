using System.Globalization;
using System.Text;

namespace MlNetDistill.Reporting;

/// <summary>Cuts text to a width. A picture without scripts cannot measure its text, so widths are estimated for a wide typeface.</summary>
internal static class FittedText
{
    /// <summary>The text, or as many whole characters as fit and an ellipsis.</summary>
    public static string Fit(double width, string text, double size = 12)
    {
        if (MeasureWidth(text, size) <= width)
            return text;
        var (fitted, left) = (new StringBuilder(), width - size);
        foreach (var element in Elements(text))
        {
            left -= MeasureWidth(element, size);
            if (left < 0)
                break;
            fitted.Append(element);
        }

        return fitted.Append('…').ToString();
    }

    public static double MeasureWidth(string text, double size = 12) => size * Elements(text).Sum(Em);

    private static IEnumerable<string> Elements(string text)
    {
        var elements = StringInfo.GetTextElementEnumerator(text);
        while (elements.MoveNext())
            yield return elements.GetTextElement();
    }

    private static double Em(string element) => Rune.TryGetRuneAt(element, 0, out var rune) ? Em(rune) : 1;

    private static double Em(Rune rune) => rune.Value switch
    {
        'i' or 'j' or 'l' or '.' or ',' or '\'' or ':' or ' ' => 0.42,
        'W' or 'M' or 'm' or 'w' or '@' or '%' => 1.02,
        < 0x2E80 => Rune.IsUpper(rune) ? 0.8 : 0.66,
        _ => 1.4,
    };
}

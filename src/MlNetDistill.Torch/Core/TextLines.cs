namespace MlNetDistill.Core;

/// <summary>Text for a console.</summary>
internal static class TextLines
{
    /// <summary>Maximum width in characters of printed tables and lists.</summary>
    public const int Width = 100;

    private const string NumberSpace = "\u00a0";

    /// <summary>Breaks a text into lines, between words if possible.</summary>
    /// <param name="text">The text; line breaks and other control characters count as spaces.</param>
    /// <param name="width">Maximum characters in a line.</param>
    /// <param name="maxLines">Maximum number of lines; if the text is longer, the last line ends in dots.</param>
    public static IReadOnlyList<string> Wrap(string text, int width, int maxLines = int.MaxValue)
    {
        List<string> lines = [];
        // Keeps a number and its per cent sign on one line.
        var rest = Clean(text).Replace(" %", NumberSpace + "%", StringComparison.Ordinal).Trim();
        while (rest.Length > width && lines.Count < maxLines - 1)
        {
            var end = rest.LastIndexOf(' ', width);
            var at = end > 0 ? end : width;
            lines.Add(rest[..at].TrimEnd());
            rest = rest[at..].TrimStart();
        }

        lines.Add(Truncate(rest, width));
        return [.. lines.Select(line => line.Replace(NumberSpace, " ", StringComparison.Ordinal))];
    }

    /// <summary>The text, of at most <paramref name="width"/> characters; the end of a longer text is replaced by dots.</summary>
    public static string Truncate(string text, int width) => text.Length <= width ? text : text[..(width - 3)] + "...";

    /// <summary>Replaces line breaks and other control characters by spaces.</summary>
    public static string Clean(string text) => string.Concat(text.Select(letter => char.IsControl(letter) ? ' ' : letter));
}

using MlNetDistill.Core;

namespace MlNetDistill.Evaluation;

/// <summary>Columns of text for a console, two spaces apart: the first to the left, the others, which hold figures, to the right.</summary>
internal static class TextTable
{
    private const int LongestCell = 30;

    /// <summary>A table of these rows. They may be of different lengths; a null cell is an unknown figure and is left empty.</summary>
    public static string Format(params IReadOnlyList<string?[]> rows)
    {
        var cells = rows.Select(row => row.Select(cell => TextLines.Truncate(TextLines.Clean(cell ?? "-"), LongestCell)).ToArray()).ToList();
        var widths = Enumerable.Range(0, cells.Max(row => row.Length)).Select(at => cells.Where(row => row.Length > at).Max(row => row[at].Length)).ToArray();
        return string.Join(
            Environment.NewLine,
            cells.Select(row => string.Join("  ", row.Select((cell, at) => at == 0 ? cell.PadRight(widths[0]) : cell.PadLeft(widths[at]))).TrimEnd()));
    }
}

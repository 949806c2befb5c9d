using MlNetDistill.Core;

namespace MlNetDistill.Evaluation;

/// <summary>Formats a table for a console, columns two spaces apart: the first is left-aligned, the others, which have figures, are right-aligned.</summary>
internal static class TextTable
{
    private const int LongestCell = 30;

    /// <summary>A table of these rows. They may have different lengths; a null cell is an unknown figure and is shown as a dash.</summary>
    public static string Format(params IReadOnlyList<string?[]> rows)
    {
        var cells = rows.Select(row => row.Select(cell => TextLines.Truncate(TextLines.Clean(cell ?? "-"), LongestCell)).ToArray()).ToList();
        var widths = Enumerable.Range(0, cells.Max(row => row.Length)).Select(i => cells.Where(row => row.Length > i).Max(row => row[i].Length)).ToArray();
        return string.Join(
            Environment.NewLine,
            cells.Select(row => string.Join("  ", row.Select((cell, i) => i == 0 ? cell.PadRight(widths[0]) : cell.PadLeft(widths[i]))).TrimEnd()));
    }
}

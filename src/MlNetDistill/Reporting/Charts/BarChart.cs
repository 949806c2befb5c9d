using System.Xml.Linq;

namespace MlNetDistill.Reporting;

/// <summary>Horizontal bars, each with its name and its figure above it.</summary>
internal static class BarChart
{
    private const double Left = 12;
    private const double Right = Svg.Width - 14;
    private const double RowHeight = 36;

    /// <summary>Draws bars; one of the value <paramref name="most"/>, by default the largest value, has full width.</summary>
    public static XElement Draw(string id, string caption, IReadOnlyList<Bar> bars, double? most = null)
    {
        var svg = new Svg(id, Svg.Width, 6 + (bars.Count * RowHeight), caption, string.Join(" ", bars.Select(bar => $"{bar.Name}: {bar.Text}.")));
        var full = Math.Max(most ?? bars.Select(bar => Math.Max(bar.Value, bar.Tail ?? 0)).DefaultIfEmpty().Max(), double.Epsilon);
        foreach (var (index, bar) in bars.Index())
        {
            var y = index * RowHeight;
            svg.Heading(Left, Right, y + 14, bar.Name, bar.Text);
            svg.Box($"bar {bar.Kind}", Left, y + 20, Math.Max(1.5, (Right - Left) * bar.Value / full), 10);
            if (bar.Tail is { } tail)
                svg.Line("tail", Left + ((Right - Left) * tail / full), y + 18, Left + ((Right - Left) * tail / full), y + 32);
        }

        return svg.Figure(caption);
    }
}

/// <summary>A bar; a stroke marks the tail, null for none.</summary>
internal sealed record Bar(string Name, string Kind, double Value, string Text, double? Tail = null);

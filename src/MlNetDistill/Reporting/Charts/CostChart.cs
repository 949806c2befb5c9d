using System.Xml.Linq;

namespace MlNetDistill.Reporting;

/// <summary>One kind of cost, a bar for each model; a stroke stands where 95 % of the measurements are within.</summary>
internal static class CostChart
{
    private const double Left = 12;
    private const double Right = Svg.Width - 14;
    private const double RowHeight = 36;

    public static XElement Of(string id, string caption, IReadOnlyList<Cost> costs, Func<double, string> format)
    {
        var said = string.Join(" ", costs.Select(cost => $"{cost.Model.Name}: {Said(cost, format)}."));
        var svg = new Svg(id, Svg.Width, 6 + (costs.Count * RowHeight), caption, said);
        var most = Math.Max(costs.Max(cost => Math.Max(cost.Value, cost.Tail ?? 0)), double.Epsilon);
        foreach (var (at, cost) in costs.Index())
        {
            var (y, words) = (at * RowHeight, Said(cost, format));
            svg.Words(Left, y + 14, FittedText.Within(Right - Left - FittedText.WidthOf(words) - 12, cost.Model.Name));
            svg.Words(Right, y + 14, words, "muted", "end");
            svg.Box($"bar {cost.Model.Kind}", Left, y + 20, Math.Max(1.5, (Right - Left) * cost.Value / most), 10);
            if (cost.Tail is { } tail)
                svg.Line("tail", Left + ((Right - Left) * tail / most), y + 18, Left + ((Right - Left) * tail / most), y + 32);
        }

        return svg.Figure(caption);
    }

    private static string Said(Cost cost, Func<double, string> format) =>
        cost.Tail is { } tail ? $"{format(cost.Value)}, 95 %: {format(tail)}" : format(cost.Value);
}

/// <summary>What a model costs of one kind; the tail is what 95 % of the measurements stay within, null where there is none.</summary>
internal sealed record Cost(Compared Model, double Value, double? Tail);

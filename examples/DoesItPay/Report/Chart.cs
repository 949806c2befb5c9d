using System.Net;
using System.Text;
using DoesItPay.Training;
using static System.FormattableString;

namespace DoesItPay.Report;

/// <summary>The gain of each way to train, with its interval, as one SVG file with a light and a dark theme.</summary>
internal sealed class Chart(IReadOnlyList<Cell> cells)
{
    private const int Width = 980;
    private const int Margin = 24;
    private const int Left = 380;
    private const int Right = 800;
    private const int Top = 110;
    private const int RowHeight = 22;
    private const int GroupHeight = 34;

    // No CSS variables: viewers other than browsers know classes, but seldom custom properties.
    private const string Style = """
        text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2430; }
        .background { fill: #ffffff; }
        .title { font-size: 20px; font-weight: 600; }
        .muted { font-size: 12px; fill: #5b6270; }
        .head { font-weight: 600; }
        .zero { stroke: #5b6270; stroke-width: 1.5; stroke-dasharray: 5 4; }
        .unclear { stroke: #8a909c; fill: #8a909c; stroke-width: 2; }
        .above { stroke: #1c62b7; fill: #1c62b7; stroke-width: 2; }
        .below { stroke: #b4540a; fill: #b4540a; stroke-width: 2; }
        @media (prefers-color-scheme: dark) {
          text { fill: #e8eaf0; }
          .background { fill: #14171e; }
          .muted { fill: #a4abb9; }
          .zero { stroke: #a4abb9; }
          .above { stroke: #6fb0ff; fill: #6fb0ff; }
          .below { stroke: #f0a35e; fill: #f0a35e; }
        }
        """;

    private readonly IReadOnlyList<Cell> _rows = [.. cells.Where(cell => cell.Gain is not null && !ArmList.Get(cell.Key.Arm).IsAlone)];

    public string ToSvg()
    {
        var groups = _rows.GroupBy(cell => (cell.Key.Set, cell.Key.Regime)).ToList();
        var bottom = Top + (groups.Count * GroupHeight) + (_rows.Count * RowHeight);
        var svg = new StringBuilder();
        svg.AppendLine(Invariant(
            $"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {bottom + 60}" width="{Width}" height="{bottom + 60}" style="max-width:100%;height:auto" role="img" aria-labelledby="title description">"""));
        svg.AppendLine("""<title id="title">Gain of distilling over the student alone</title>""");
        svg.AppendLine($"""<desc id="description">{Escape(string.Join(' ', _rows.Select(cell => $"{cell.Key.Set}, {cell.Key.Regime} %, {Name(cell)}: {cell.Gain}.")))}</desc>""");
        svg.AppendLine($"<style>{Style}</style>");
        svg.AppendLine("""<rect class="background" width="100%" height="100%" rx="8"/>""");
        Text(svg, Margin, 40, "title", "Does it pay? Accuracy beyond the searched student alone");
        Text(svg, Margin, 64, "muted", "Points on the test rows, with paired 95 % intervals over test rows and seeds. Each row has the scale of its group.");
        var y = Top;
        foreach (var group in groups)
            y = Draw(svg, [.. group], Invariant($"{group.Key.Set}, {group.Key.Regime} % of the training rows with labels"), y);
        Text(svg, Margin, bottom + 36, "muted", "Blue: the interval is above 0. Orange: it is below. Grey: it contains 0.");
        return svg.AppendLine("</svg>").ToString();
    }

    private static int Draw(StringBuilder svg, IReadOnlyList<Cell> rows, string heading, int y)
    {
        var (low, high) = (Math.Min(0, rows.Min(cell => cell.Gain!.Low)), Math.Max(0, rows.Max(cell => cell.Gain!.High)));
        var scale = (Right - Left) / Math.Max(high - low, 0.01);
        double At(double points) => Left + ((points - low) * scale);
        Text(svg, Margin, y + 22, "head", heading);
        y += GroupHeight;
        svg.AppendLine(Invariant($"""<line class="zero" x1="{At(0):0.#}" x2="{At(0):0.#}" y1="{y - 6}" y2="{y + (rows.Count * RowHeight)}"/>"""));
        foreach (var cell in rows)
        {
            var gain = cell.Gain!;
            var kind = gain.IsAboveZero ? "above" : gain.IsBelowZero ? "below" : "unclear";
            var middle = y + (RowHeight / 2);
            Text(svg, Margin + 12, middle + 4, "", Name(cell));
            svg.AppendLine(Invariant($"""<line class="{kind}" x1="{At(gain.Low):0.#}" x2="{At(gain.High):0.#}" y1="{middle}" y2="{middle}"/>"""));
            svg.AppendLine(Invariant($"""<circle class="{kind}" cx="{At(gain.Mean):0.#}" cy="{middle}" r="4"/>"""));
            Text(svg, Right + 16, middle + 4, "muted", $"{gain}");
            y += RowHeight;
        }

        return y;
    }

    private static string Name(Cell cell) => $"{cell.Key.Teacher} → {cell.Key.Student}: {ArmList.Get(cell.Key.Arm).Title}";

    private static void Text(StringBuilder svg, int x, int y, string kind, string text) =>
        svg.AppendLine(Invariant($"""<text x="{x}" y="{y}" class="{kind}">{Escape(text)}</text>"""));

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}

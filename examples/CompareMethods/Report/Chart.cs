using System.Net;
using System.Text;
using CompareMethods.Data;
using CompareMethods.Training;
using static System.FormattableString;

namespace CompareMethods.Report;

/// <summary>Accuracy and agreement of each method as one SVG file, with a light and a dark theme, and its figures also as text.</summary>
internal sealed class Chart(Workload work, Findings findings)
{
    private const int Width = 980;
    private const int Margin = 24;
    private const int Top = 132;
    private const int RowHeight = 36;
    private const int GroupHeight = 30;

    // No CSS variables: viewers other than browsers know classes, but seldom custom properties.
    private const string Style = """
        text { font: 14px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2430; }
        .background { fill: #ffffff; }
        .title { font-size: 20px; font-weight: 600; }
        .muted { font-size: 12px; fill: #5b6270; }
        .head { font-weight: 600; }
        .figure { font-size: 13px; font-variant-numeric: tabular-nums; }
        .grid { stroke: #e3e6ec; stroke-width: 1; }
        .band { fill: #5b6270; opacity: 0.14; }
        .alone { stroke: #5b6270; stroke-width: 1.5; stroke-dasharray: 5 4; }
        .teacher { stroke: #b4540a; stroke-width: 1.5; stroke-dasharray: 2 3; }
        .teacherText { font-size: 12px; fill: #9a4708; }
        .spread { stroke: #1c62b7; stroke-width: 2; }
        .mean { fill: #1c62b7; stroke: #1c62b7; stroke-width: 2; }
        .longer { fill: #ffffff; stroke: #1c62b7; stroke-width: 2; }
        .seed { fill: #1c62b7; opacity: 0.45; }
        @media (prefers-color-scheme: dark) {
          text { fill: #e8eaf0; }
          .background { fill: #14171e; }
          .muted { fill: #a4abb9; }
          .grid { stroke: #2b303b; }
          .band { fill: #a4abb9; }
          .alone { stroke: #a4abb9; }
          .teacher { stroke: #f0a35e; }
          .teacherText { fill: #f0a35e; }
          .spread { stroke: #6fb0ff; }
          .mean { fill: #6fb0ff; stroke: #6fb0ff; }
          .longer { fill: #14171e; stroke: #6fb0ff; }
          .seed { fill: #6fb0ff; }
        }
        """;

    private readonly Outcome _alone = findings.Outcomes.Single(o => o.Setup.Name == Candidates.Alone);

    /// <summary>The rows from top to bottom: those of equal budget, then the longer ones.</summary>
    private IReadOnlyList<Outcome> Rows => [.. findings.Outcomes.Where(o => o != _alone)];

    public string ToSvg()
    {
        var y = RowCenters();
        var bottom = y[^1] + (RowHeight / 2);
        Panel[] panels =
        [
            new("Accuracy on the test rows (%)", Margin, 190, 470, 570, o => o.Accuracy, run => 100 * run.Accuracy, 100 * findings.TeacherAccuracy),
            new("Agreement with the teacher (%)", 600, 600, 856, 956, o => o.Agreement, run => 100 * run.Agreement, null),
        ];
        var svg = new StringBuilder();
        var size = Invariant($"""viewBox="0 0 {Width} {bottom + 88}" width="{Width}" height="{bottom + 88}" style="max-width:100%;height:auto" """);
        svg.AppendLine($"""<svg xmlns="http://www.w3.org/2000/svg" {size}role="img" aria-labelledby="title description">""");
        svg.AppendLine($"""<title id="title">{Escape(Title)}</title>""");
        svg.AppendLine($"""<desc id="description">{Escape(Description)}</desc>""");
        svg.AppendLine($"<style>{Style}</style>");
        svg.AppendLine("""<rect class="background" width="100%" height="100%" rx="8"/>""");
        Text(svg, Margin, 40, "title", Title);
        Text(svg, Margin, 64, "muted", Data);
        foreach (var panel in panels)
            panel.Draw(svg, Rows, y, _alone, Top, bottom);
        Labels(svg, y);
        Text(svg, Margin, bottom + 66, "muted", Legend);
        return svg.AppendLine("</svg>").ToString();
    }

    public static void Text(StringBuilder svg, double x, double y, string kind, string text, string anchor = "start") =>
        svg.AppendLine(Invariant($"""<text x="{x:0.#}" y="{y:0.#}" class="{kind}" text-anchor="{anchor}">{Escape(text)}</text>"""));

    private string Title => $"One student, {work.Student.Name}, taught by {work.Teacher.Name} in {Rows.Count(o => !o.IsLonger)} ways";

    private string Data =>
        $"{work.Title}: {work.TrainRows:N0} rows to train, {work.TestRows:N0} to test. The teacher trained once, for {work.TeacherEpochs} epochs.";

    private string Legend =>
        _alone.Runs.Count == 1
            ? "One seed. Hollow: trained for longer."
            : $"Large dot and bar: mean ± standard deviation over {_alone.Runs.Count} seeds; small dots: single seeds. " +
              "Hollow: trained for longer. The grey band is the student alone.";

    private string Description => string.Join(" ", findings.Outcomes
        .Select(o => $"{o.Setup.Name}, {o.Setup.Epochs} epochs: accuracy {o.Accuracy.ToString("0.00")} %, agreement {o.Agreement.ToString("0.00")} %.")
        .Prepend(Invariant($"Accuracy on the test rows and agreement with the teacher. Teacher: accuracy {100 * findings.TeacherAccuracy:0.00} %.")));

    /// <summary>Heights of the rows; each group begins with a heading.</summary>
    private int[] RowCenters()
    {
        var y = Top;
        var centers = new List<int>();
        foreach (var group in Rows.GroupBy(o => o.IsLonger))
        {
            y += GroupHeight;
            foreach (var _ in group)
            {
                centers.Add(y + (RowHeight / 2));
                y += RowHeight;
            }
        }

        return [.. centers];
    }

    private void Labels(StringBuilder svg, int[] y)
    {
        foreach (var group in Rows.Zip(y, (outcome, y) => (Outcome: outcome, Y: y)).GroupBy(row => row.Outcome.IsLonger))
        {
            var first = group.First();
            Text(svg, Margin, first.Y - (RowHeight / 2) - 8, "muted", $"{first.Outcome.Setup.Epochs} epochs each");
            foreach (var (outcome, center) in group)
            {
                Text(svg, Margin, center + 5, "head", outcome.Setup.Name);
                if (outcome.Setup.Candidate.Anchors > 1)
                    Text(svg, 176, center + 5, "muted", outcome.Setup.EpochsText, "end");
            }
        }
    }

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}

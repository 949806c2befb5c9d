using System.Text;

namespace MlNetDistill.Hostile.Running;

/// <summary>The table: what was tried × what came of it.</summary>
internal sealed class Tally
{
    private static readonly (Verdict Verdict, string Title)[] Columns =
    [
        (Verdict.ClearError, "clear error"), (Verdict.Right, "right, warned or harmless"), (Verdict.ValidOtherValues, "valid, other values"),
        (Verdict.Unclear, "unclear"), (Verdict.SilentlyWrong, "silently wrong"), (Verdict.Crash, "crash"), (Verdict.Hang, "hang"), (Verdict.Skipped, "skipped"),
    ];

    private readonly List<(string What, IReadOnlyList<Result> Results)> _rows = [];

    public bool HasFaults => _rows.Any(row => row.Results.Any(result => result.IsFault));

    public void Add(string what, IReadOnlyList<Result> results) => _rows.Add((what, results));

    public string ToMarkdown()
    {
        var text = new StringBuilder();
        text.Append("| what | tried |");
        foreach (var (_, title) in Columns)
            text.Append($" {title} |");
        text.AppendLine().Append("|---|---|").Insert(text.Length, "---|", Columns.Length).AppendLine();
        foreach (var (what, results) in _rows)
        {
            text.Append($"| {what} | {results.Count} |");
            foreach (var (verdict, _) in Columns)
                text.Append($" {results.Count(result => result.Verdict == verdict)} |");
            text.AppendLine();
        }

        return text.ToString();
    }
}

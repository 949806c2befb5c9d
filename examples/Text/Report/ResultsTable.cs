using Spectre.Console;
using TextExample.Training;

namespace TextExample.Report;

/// <summary>The table at the end: mean and standard deviation over the seeds.</summary>
internal static class ResultsTable
{
    public static void Print(IReadOnlyList<Repetition> repetitions)
    {
        // No vertical lines and little padding: it fits into 80 columns.
        var table = new Table { Border = TableBorder.Horizontal, Caption = new TableTitle("µs/row through a PredictionEngine, median", Style.Plain) }
            .AddColumn(new TableColumn("On the test messages").NoWrap())
            .AddColumns([.. new[] { "Accuracy %", "Agreement %", "Zip, KB", "µs/row" }.Select(heading => new TableColumn(heading).RightAligned().NoWrap().PadLeft(0))]);
        for (var i = 0; i < repetitions[0].Findings.Count; i++)
        {
            Finding[] findings = [.. repetitions.Select(repetition => repetition.Findings[i])];
            table.AddRow(
                findings[0].Name,
                Percent(findings.Select(finding => finding.Accuracy)),
                findings[0].Agreement is null ? "" : Percent(findings.Select(finding => finding.Agreement!.Value)),
                $"{findings.Average(finding => finding.ZipBytes) / 1024:N0}",
                $"{findings.Average(finding => finding.Microseconds):N0}");
        }

        AnsiConsole.Write(table);
    }

    private static string Percent(IEnumerable<double> shares) => Spread.FromValues(shares.Select(share => 100 * share)).ToString("0.00");
}

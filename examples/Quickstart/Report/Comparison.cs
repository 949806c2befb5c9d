using MlNetDistill.Evaluation;
using MlNetDistill.Reporting;
using Spectre.Console;

namespace Quickstart.Report;

/// <summary>The table at the end: the quality and the cost of each model.</summary>
internal static class Comparison
{
    public static void Print(DistillationReport report)
    {
        // No vertical lines and little padding: it fits into 80 columns.
        var table = new Table { Border = TableBorder.Horizontal, Caption = new TableTitle("KL(teacher ‖ student) in nats; µs/row through a PredictionEngine", Style.Plain) }
            .AddColumn("On the test rows")
            .AddColumns([.. new[] { "Accuracy", "Agreement", "KL", "Parameters", "Zip", "µs/row" }.Select(heading => new TableColumn(heading).RightAligned().PadLeft(0))]);
        Add(report.Teacher, report.Metrics.Teacher!, null);
        Add(report.Alone!, report.AloneMetrics!.Student!, report.AloneMetrics);
        Add(report.Student, report.Metrics.Student!, report.Metrics);
        AnsiConsole.Write(table);

        void Add(ReportedModel model, ModelQuality quality, DistillationMetrics? beside) => table.AddRow(
            model.Name,
            $"{quality.Accuracy.Value:0.00 %}",
            $"{beside?.Agreement.Value:0.00 %}",
            $"{beside?.Divergence.Value:0.000}",
            $"{model.Parameters:N0}",
            $"{model.Cost!.ZipBytes / 1024.0:N0} KB",
            $"{model.Cost.SingleRow.Median:N0}");
    }
}

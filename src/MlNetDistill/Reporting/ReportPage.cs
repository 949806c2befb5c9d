using System.Globalization;
using MlNetDistill.Evaluation;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>Renders a report as an HTML page.</summary>
internal static class ReportPage
{
    public static string Render(DistillationReport report)
    {
        var title = string.IsNullOrWhiteSpace(report.Title) ? "Distillation report" : report.Title;
        var verdict = ReportVerdict.From(report);
        Section?[] sections =
        [
            SummarySection.Create(report),
            new("verdict", "Verdict", Sentences(verdict.Summary)) { IsFolded = false },
            ProblemsSection.Create(report), ComparisonSection.Create(report),
            new("findings", "Further findings", Sentences(verdict.Findings)),
            CriteriaSection.Create(report.Acceptance), FidelitySection.Create(report), CalibrationSection.Create(report), KnowledgeSection.Create(report),
            MatrixSection.Create(report), ClassesSection.Create(report), CostSection.Create(report), CurvesSection.Create(report),
            TimelineSection.Create(report), ProvenanceSection.Create(report), ReadingSection.Create(),
        ];
        return PageFrame.Render(
            title,
            $"How well a distilled student replaces its teacher: {title}",
            Header(report, title),
            sections,
            Paragraph("Made by MlNetDistill. ", Tag("code", "report.json"), " holds the same numbers, including every epoch and every class."));
    }

    private static object?[] Header(DistillationReport report, string title)
    {
        var created = report.Created.ToUniversalTime();
        return
        [
            Tag("h1", Name(title)),
            string.IsNullOrWhiteSpace(report.Description) ? null : Paragraph(Class("lead"), Name(report.Description)),
            Paragraph(
                Class("made"),
                "Distillation report · ", Name(report.Teacher.Name), " → ", Name(report.Student.Name), " · ",
                $"{Figures.Count(report.Metrics.Rows, "test row")}, {Figures.Count(report.Metrics.Classes.Count, "class", "classes")} · ",
                Tag(
                    "time",
                    Attr("datetime", created.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)),
                    created.ToString("d MMMM yyyy, HH:mm 'UTC'", CultureInfo.InvariantCulture))),
        ];
    }
}

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
        var (verdict, models) = (ReportVerdict.From(report), ComparedModel.From(report));
        Section?[] sections =
        [
            SummarySection.Create(report),
            new("verdict", "Verdict", Sentences(verdict.Summary)) { IsFolded = false },
            ProblemsSection.Create(report), ComparisonSection.Create(report),
            new("findings", "Further findings", Sentences(verdict.Findings)),
            CriteriaSection.Create(report.Acceptance), FidelitySection.Create(report), CalibrationSection.Create(report), KnowledgeSection.Create(report),
            MatrixSection.Create(report), ClassesSection.Create(report), CostSection.Create(models), CurvesSection.Create(models),
            TimelineSection.Create(models), ProvenanceSection.Create(report), ReadingSection.Create(),
        ];
        return PageFrame.Render(
            title,
            $"How well a distilled student replaces its teacher: {title}",
            Header(
                title, report.Description, report.Created, "Distillation report · ", report.Teacher, report.Student,
                $"{Figures.Count(report.Metrics.Rows, "test row")}, {Figures.Count(report.Metrics.Classes.Count, "class", "classes")}"),
            sections,
            Paragraph("Made by MlNetDistill. ", Tag("code", "report.json"), " holds the same numbers, including every epoch and every class."));
    }

    /// <summary>Title, description, and what was compared on which rows.</summary>
    public static object?[] Header(string title, string? description, DateTimeOffset time, string kind, ReportedModel teacher, ReportedModel student, string rows)
    {
        var created = time.ToUniversalTime();
        return
        [
            Tag("h1", Name(title)),
            string.IsNullOrWhiteSpace(description) ? null : Paragraph(Class("lead"), Name(description)),
            Paragraph(
                Class("made"),
                kind, Name(teacher.Name), " → ", Name(student.Name), " · ", $"{rows} · ",
                Tag(
                    "time",
                    Attr("datetime", created.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)),
                    created.ToString("d MMMM yyyy, HH:mm 'UTC'", CultureInfo.InvariantCulture))),
        ];
    }
}

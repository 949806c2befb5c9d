using MlNetDistill.Evaluation;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>Renders a report on embeddings as an HTML page.</summary>
internal static class EmbeddingPage
{
    public static string Render(EmbeddingReport report)
    {
        var title = string.IsNullOrWhiteSpace(report.Title) ? "Report on embeddings" : report.Title;
        IReadOnlyList<ComparedModel> models = [new("teacher", report.Teacher, null, null), new("student", report.Student, null, null)];
        return PageFrame.Render(
            title,
            $"How well a student's embeddings replace its teacher's: {title}",
            ReportPage.Header(
                title, report.Description, report.Created, "Report on embeddings · ", report.Teacher, report.Student,
                $"{Figures.Count(report.Retrieval.Queries, "query", "queries")} in {Figures.Count(report.Retrieval.GalleryRows, "row")}"),
            [
                new("verdict", "Verdict", Sentences(report.Verdict)) { IsFolded = false },
                EmbeddingSection.CreateCharts(report, models),
                EmbeddingSection.CreateTable(report),
                Warnings(report.Student),
                Open(CostSection.Create(models)),
                CurvesSection.Create(models),
                TimelineSection.Create(models),
                ProvenanceSection.Create(models, report.Data, report.TrainingOverlap, report.Versions),
                EmbeddingSection.CreateMeanings(),
            ],
            Paragraph("Made by MlNetDistill. ", Tag("code", "report.json"), " holds the same numbers, including every epoch."));
    }

    private static Section? Open(Section? section) => section is null ? null : section with { IsFolded = false };

    private static Section? Warnings(ReportedModel student) =>
        student.Warnings.Count == 0 ? null : new("warnings", "Warnings of the training", Sentences(student.Warnings)) { IsFolded = false };
}

using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using MlNetDistill.Evaluation;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>Renders a report as an HTML page that loads nothing and has no scripts, also not for folding.</summary>
internal static class ReportPage
{
    private const int MaximumTitleLength = 60;

    // The browser loads and runs nothing; only the style sheet with this hash is allowed.
    private static readonly string Policy =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(PageStyle.Sheet)))}'; " +
        "base-uri 'none'; form-action 'none'";

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
            CriteriaSection.Create(report.Acceptance), FidelitySection.Create(report), CalibrationSection.Create(report),
            MatrixSection.Create(report), ClassesSection.Create(report), CostSection.Create(report), CurvesSection.Create(report),
            TimelineSection.Create(report), ProvenanceSection.Create(report), ReadingSection.Create(),
        ];
        return HtmlText.Render(Tag(
            "html",
            Attr("lang", "en"),
            Tag(
                "head",
                Tag("meta", Attr("charset", "utf-8")),
                Tag("meta", Attr("http-equiv", "Content-Security-Policy"), Attr("content", Policy)),
                Tag("meta", Attr("name", "viewport"), Attr("content", "width=device-width, initial-scale=1")),
                Tag("meta", Attr("name", "color-scheme"), Attr("content", "light dark")),
                Tag("meta", Attr("name", "description"), Attr("content", $"How well a distilled student replaces its teacher: {title}")),
                Tag("title", Shorten(title)),
                Tag("style", PageStyle.Sheet)),
            Tag(
                "body",
                Tag("header", Header(report, title)),
                Tag("main", sections.OfType<Section>().Select(Render)),
                Tag("footer", Paragraph("Made by MlNetDistill. ", Tag("code", "report.json"), " holds the same numbers, including every epoch and every class.")))));
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

    private static XElement Render(Section section)
    {
        var heading = Tag("h2", section.HasHiddenHeading ? Class("unseen") : null, Attr("id", $"{section.Id}-heading"), section.Title);
        return Tag(
            "section",
            Attr("id", section.Id), Attr("aria-labelledby", $"{section.Id}-heading"),
            section.IsFolded ? Tag("details", Class("fold"), Tag("summary", heading), section.Content) : new object?[] { heading, section.Content });
    }

    private static string Shorten(string title) =>
        title.EnumerateRunes().Count() <= MaximumTitleLength ? title : string.Concat(title.EnumerateRunes().Take(MaximumTitleLength - 1)) + "…";
}

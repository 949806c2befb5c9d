using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using MlNetDistill.Evaluation;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>The report as one page.</summary>
internal static class ReportPage
{
    private const int LongestTitle = 60;

    // Nothing may be loaded or run: the one style sheet is let through by its hash.
    private static readonly string Policy =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(PageStyle.Sheet)))}'; " +
        "base-uri 'none'; form-action 'none'";

    public static string Of(DistillationReport report)
    {
        Section?[] all =
        [
            VerdictSection.Of(report), ComparisonSection.Of(report), FidelitySection.Of(report), CalibrationSection.Of(report), MatrixSection.Of(report),
            ClassesSection.Of(report), CostSection.Of(report), CurvesSection.Of(report), TimelineSection.Of(report), ProvenanceSection.Of(report),
            ReadingSection.Of(report),
        ];
        var sections = all.OfType<Section>().ToList();
        return HtmlText.Of(Tag(
            "html",
            With("lang", "en"),
            Head(report),
            Tag(
                "body",
                Tag("a", Class("skip"), With("href", "#main"), "To the verdict"),
                Title(report),
                Contents(sections),
                Tag("main", With("id", "main"), sections.Select(Of)),
                Tag(
                    "footer",
                    Paragraph("Made by MlNetDistill. The same numbers, every epoch and class among them, are in ", Tag("code", "report.json"), ".")))));
    }

    private static XElement Contents(IEnumerable<Section> sections) => Tag(
        "nav",
        With("aria-label", "Contents"),
        Tag("ol", sections.Select(section => Tag("li", Tag("a", With("href", $"#{section.Id}"), section.Title)))));

    private static XElement Of(Section section) => Tag(
        "section",
        With("id", section.Id), With("aria-labelledby", $"{section.Id}-heading"),
        Tag("h2", With("id", $"{section.Id}-heading"), section.Title),
        section.Content);

    private static XElement Head(DistillationReport report) => Tag(
        "head",
        Tag("meta", With("charset", "utf-8")),
        Tag("meta", With("http-equiv", "Content-Security-Policy"), With("content", Policy)),
        Tag("meta", With("name", "viewport"), With("content", "width=device-width, initial-scale=1")),
        Tag("meta", With("name", "color-scheme"), With("content", "light dark")),
        Tag("meta", With("name", "description"), With("content", $"How well a student does its teacher's job: {TitleOf(report)}")),
        Tag("title", Short(TitleOf(report))),
        Tag("style", PageStyle.Sheet));

    private static XElement Title(DistillationReport report) => Tag(
        "header",
        Paragraph(Class("kicker"), "Distillation report"),
        Tag("h1", Name(TitleOf(report))),
        string.IsNullOrWhiteSpace(report.Description) ? null : Paragraph(Class("lead"), Name(report.Description)),
        Paragraph(
            Class("made"),
            Name(report.Teacher.Name), " → ", Name(report.Student.Name), " · ",
            $"{Figures.Count(report.Metrics.Rows)} rows, {Figures.Count(report.Metrics.Classes.Count)} classes · ",
            Tag(
                "time",
                With("datetime", report.Created.ToUniversalTime().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)),
                report.Created.ToUniversalTime().ToString("d MMMM yyyy, HH:mm 'UTC'", CultureInfo.InvariantCulture))));

    private static string Short(string title) =>
        title.EnumerateRunes().Count() <= LongestTitle ? title : string.Concat(title.EnumerateRunes().Take(LongestTitle - 1)) + "…";

    private static string TitleOf(DistillationReport report) => string.IsNullOrWhiteSpace(report.Title) ? "Distillation report" : report.Title;
}

using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>An HTML page that loads nothing and has no scripts, also not for folding.</summary>
internal static class PageFrame
{
    private const int MaximumTitleLength = 60;

    // The browser loads and runs nothing; only the style sheet with this hash is allowed.
    private static readonly string Policy =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(PageStyle.Sheet)))}'; " +
        "base-uri 'none'; form-action 'none'";

    /// <param name="title">The title of the window, which is shortened.</param>
    /// <param name="description">The page in one line, for search engines.</param>
    /// <param name="header">What is above the sections.</param>
    /// <param name="sections">The sections; those that are null are left out.</param>
    /// <param name="footer">The last paragraph.</param>
    public static string Render(string title, string description, object?[] header, IEnumerable<Section?> sections, XElement footer) => HtmlText.Render(Tag(
        "html",
        Attr("lang", "en"),
        Tag(
            "head",
            Tag("meta", Attr("charset", "utf-8")),
            Tag("meta", Attr("http-equiv", "Content-Security-Policy"), Attr("content", Policy)),
            Tag("meta", Attr("name", "viewport"), Attr("content", "width=device-width, initial-scale=1")),
            Tag("meta", Attr("name", "color-scheme"), Attr("content", "light dark")),
            Tag("meta", Attr("name", "description"), Attr("content", description)),
            Tag("title", Shorten(title)),
            Tag("style", PageStyle.Sheet)),
        Tag("body", Tag("header", header), Tag("main", sections.OfType<Section>().Select(Render)), Tag("footer", footer))));

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

using System.Xml.Linq;

namespace MlNetDistill.Reporting;

/// <summary>Creates elements of a page. Only <see cref="HtmlText"/> writes them as text and escapes them, so no section can forget to escape a name.</summary>
internal static class Html
{
    private static readonly string[] Units = ["%", "µs", "points", "bytes", "KiB", "MiB", "GiB"];

    /// <summary>An element; its content may be text, attributes, elements, sequences of these, or null.</summary>
    public static XElement Tag(string name, params object?[] content) => new(name, content);

    public static XAttribute Attr(string name, string value) => new(name, value);

    public static XAttribute Class(string name) => new("class", name);

    /// <summary>A user's text. It may run from right to left, and must not change the direction of the text beside it.</summary>
    public static XElement Name(string text) => Tag("bdi", text);

    /// <summary>An identifier that may wrap between its words.</summary>
    public static object[] CodeName(string name) =>
        [.. name.Select((c, i) => i > 0 && (name[i - 1] == '.' || (char.IsUpper(c) && char.IsLower(name[i - 1])))
            ? (object)new object[] { Tag("wbr"), c.ToString() }
            : c.ToString())];

    public static XElement Paragraph(params object?[] content) => Tag("p", content);

    /// <summary>Sentences, one below the other.</summary>
    public static XElement Sentences(IEnumerable<string> sentences) =>
        Tag("ul", Class("sentences"), sentences.Select(sentence => Tag("li", Unbroken(sentence))));

    /// <summary>Puts no-break spaces between figures and their units.</summary>
    public static string Unbroken(string sentence) =>
        Units.Aggregate(sentence, (text, unit) => text.Replace($" {unit}", $"\u00A0{unit}", StringComparison.Ordinal));

    /// <summary>Content that is folded at first; needs no script.</summary>
    public static XElement Details(string summary, params object?[] content) => Tag("details", Tag("summary", summary), content);
}

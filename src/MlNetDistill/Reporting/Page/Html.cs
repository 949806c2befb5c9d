using System.Xml.Linq;

namespace MlNetDistill.Reporting;

/// <summary>Elements of a page, as a tree. Text becomes markup in one place only, <see cref="HtmlText"/>, so no section can forget to escape a name.</summary>
internal static class Html
{
    private static readonly string[] Units = ["%", "µs", "points", "bytes", "KiB", "MiB", "GiB"];

    /// <summary>An element; its content may be text, attributes, elements, sequences of these, or null for nothing.</summary>
    public static XElement Tag(string name, params object?[] content) => new(name, content);

    public static XAttribute Attr(string name, string value) => new(name, value);

    public static XAttribute Class(string name) => new("class", name);

    /// <summary>Text that is a user's: it may run from right to left, and must not turn what stands beside it.</summary>
    public static XElement Name(string text) => Tag("bdi", text);

    /// <summary>A name of code, which may be broken between its words.</summary>
    public static object[] CodeName(string name) =>
        [.. name.Select((c, at) => at > 0 && (name[at - 1] == '.' || (char.IsUpper(c) && char.IsLower(name[at - 1])))
            ? (object)new object[] { Tag("wbr"), c.ToString() }
            : c.ToString())];

    public static XElement Paragraph(params object?[] content) => Tag("p", content);

    /// <summary>Sentences, one below the other.</summary>
    public static XElement Sentences(IEnumerable<string> sentences) =>
        Tag("ul", Class("sentences"), sentences.Select(sentence => Tag("li", Unbroken(sentence))));

    /// <summary>A sentence in which a figure stays on one line with its unit.</summary>
    public static string Unbroken(string sentence) =>
        Units.Aggregate(sentence, (text, unit) => text.Replace($" {unit}", $"\u00A0{unit}", StringComparison.Ordinal));

    /// <summary>What is not for everybody, closed at first; needs no script.</summary>
    public static XElement Details(string summary, params object?[] content) => Tag("details", Tag("summary", summary), content);
}

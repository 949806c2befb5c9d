using System.Text;
using System.Xml.Linq;

namespace MlNetDistill.Reporting;

/// <summary>Writes a tree of elements as HTML 5.</summary>
internal static class HtmlText
{
    private const char Replacement = '\uFFFD';
    private static readonly HashSet<string> Void = ["meta", "br", "wbr"];

    // After other elements, a line break is invisible white space; it keeps lines short and differences between files readable.
    private static readonly HashSet<string> Inline = ["bdi", "data", "small", "strong", "em", "a", "time", "span", "code", "text", "wbr"];

    public static string Render(XElement root)
    {
        var text = new StringBuilder("<!DOCTYPE html>\n");
        Write(text, root);
        return text.ToString();
    }

    private static void Write(StringBuilder html, XElement element)
    {
        var name = element.Name.LocalName;
        html.Append('<').Append(name);
        foreach (var attribute in element.Attributes())
            html.Append(' ').Append(attribute.Name.LocalName).Append("=\"").Append(Escape(attribute.Value)).Append('"');
        html.Append('>');
        if (!Void.Contains(name))
        {
            foreach (var node in element.Nodes())
                Write(html, node, raw: name == "style");
            html.Append("</").Append(name).Append('>');
        }

        if (!Inline.Contains(name))
            html.Append('\n');
    }

    private static void Write(StringBuilder html, XNode node, bool raw)
    {
        if (node is XElement element)
            Write(html, element);
        else if (node is XText text)
            html.Append(raw ? text.Value : Escape(text.Value));
    }

    /// <summary>Escapes text; characters that are not allowed in HTML (control characters, unpaired surrogates) become U+FFFD.</summary>
    private static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            _ = rune.Value switch
            {
                '<' => escaped.Append("&lt;"),
                '>' => escaped.Append("&gt;"),
                '&' => escaped.Append("&amp;"),
                '"' => escaped.Append("&quot;"),
                '\'' => escaped.Append("&#39;"),
                '\r' or '\n' or '\t' => escaped.Append(' '),
                _ when Rune.IsControl(rune) || (rune.Value & 0xFFFE) == 0xFFFE || rune.Value is >= 0xFDD0 and <= 0xFDEF => escaped.Append(Replacement),
                _ => escaped.Append(rune.ToString()),
            };
        }

        return escaped.ToString();
    }
}

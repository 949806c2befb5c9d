using System.Xml.Linq;
using MlNetDistill.Evaluation;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>Tables that are read aloud well and scroll on their own where a screen is narrower than they are.</summary>
internal static class Table
{
    /// <param name="id">Id of the caption.</param>
    /// <param name="caption">What the table says.</param>
    /// <param name="heads">Heads of the columns; the first is that of the rows' heads.</param>
    /// <param name="rows">The cells; the first of each row is its head.</param>
    public static XElement Create(string id, string caption, IEnumerable<object> heads, IEnumerable<IReadOnlyList<object?>> rows)
    {
        var cells = rows.ToList();
        return Tag(
            "div",
            Class("scroll"), Attr("role", "group"), Attr("tabindex", "0"), Attr("aria-labelledby", id),
            Tag(
                "table",
                Tag("caption", Attr("id", id), Tag("span", caption)),
                Tag("thead", Tag("tr", heads.Select((head, at) => Tag("th", Attr("scope", "col"), HasWords(at) ? null : Class("figure"), head)))),
                Tag("tbody", cells.Select(row => Tag("tr", row.Select((cell, at) => at == 0 ? RowHead(cell) : Cell(cell, HasWords(at))))))));

        bool HasWords(int column) => column == 0 || cells.Any(row =>
            row[column] is XElement { Name.LocalName: "td" } cell && cell.Attribute("class")?.Value != "figure");
    }

    /// <summary>A cell of words rather than of a figure.</summary>
    public static XElement TextCell(params object?[] content) => Tag("td", content);

    /// <summary>A row's head with a word on what it means.</summary>
    public static object[] Head(string name, string meaning) => [name, Tag("small", meaning)];

    /// <summary>A figure with its interval; the figure's own digits are in the page too.</summary>
    public static XElement? EstimateCell(Estimate? estimate, Func<double, string> format) => estimate is not { } known ? null : Tag(
        "td",
        Class("figure"),
        Exactly(known, format(known)),
        known is { Lower: { } lower, Upper: { } upper }
            ? Tag("small", Class("interval"), $"{Figures.Bare(format(lower))} to {Figures.Bare(format(upper))}")
            : null);

    public static XElement? NumberCell(double? value, Func<double, string> format) =>
        value is not { } known ? null : Tag("td", Class("figure"), Exactly(known, format(known)));

    private static XElement Exactly(double value, string text) => Tag("data", Attr("value", Figures.Exact(value)), text);

    private static XElement RowHead(object? content) => Tag("th", Attr("scope", "row"), content);

    private static XElement Cell(object? cell, bool words) => cell switch
    {
        null => Tag("td", Class(words ? "none" : "figure none"), "–"),
        XElement { Name.LocalName: "td" } whole => whole,
        _ => Tag("td", Class("figure"), cell),
    };
}

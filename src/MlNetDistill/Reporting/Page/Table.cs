using System.Xml.Linq;
using MlNetDistill.Evaluation;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>Creates accessible tables, which scroll by themselves on narrow screens.</summary>
internal static class Table
{
    /// <summary>Creates a table. The first heading is that of the row headings, and the first cell of each row is its heading.</summary>
    public static XElement Create(string id, string caption, IEnumerable<object> heads, IEnumerable<IReadOnlyList<object?>> rows)
    {
        var cells = rows.ToList();
        return Tag(
            "div",
            Class("scroll"), Attr("role", "group"), Attr("tabindex", "0"), Attr("aria-labelledby", id),
            Tag(
                "table",
                Tag("caption", Attr("id", id), Tag("span", caption)),
                Tag("thead", Tag("tr", heads.Select((head, i) => Tag("th", Attr("scope", "col"), HasText(i) ? null : Class("figure"), head)))),
                Tag("tbody", cells.Select(row => Tag("tr", row.Select((cell, i) => i == 0 ? Tag("th", Attr("scope", "row"), cell) : Cell(cell, HasText(i))))))));

        bool HasText(int column) => column == 0 || cells.Any(row =>
            row[column] is XElement { Name.LocalName: "td" } cell && cell.Attribute("class")?.Value != "figure");
    }

    /// <summary>A cell with text instead of a figure.</summary>
    public static XElement TextCell(params object?[] content) => Tag("td", content);

    /// <summary>A row heading with its meaning.</summary>
    public static object[] Head(string name, string meaning) => [name, Tag("small", meaning)];

    /// <summary>A figure with its interval; the page also has all digits of the figure.</summary>
    public static XElement? EstimateCell(Estimate? estimate, Func<double, string> format) => estimate is not { } value ? null : Tag(
        "td",
        Class("figure"),
        WithAllDigits(value, format(value)),
        value is { Lower: { } lower, Upper: { } upper }
            ? Tag("small", Class("interval"), $"{Figures.WithoutUnit(format(lower))} to {Figures.WithoutUnit(format(upper))}")
            : null);

    public static XElement? NumberCell(double? value, Func<double, string> format) =>
        value is not { } number ? null : Tag("td", Class("figure"), WithAllDigits(number, format(number)));

    private static XElement WithAllDigits(double value, string text) => Tag("data", Attr("value", Figures.Exact(value)), text);

    private static XElement Cell(object? cell, bool hasText) => cell switch
    {
        null => Tag("td", Class(hasText ? "none" : "figure none"), "–"),
        XElement { Name.LocalName: "td" } whole => whole,
        _ => Tag("td", Class("figure"), cell),
    };
}

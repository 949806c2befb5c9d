using System.Globalization;
using System.Xml.Linq;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>A picture that is also said in words. How it looks is the page's style; here is only where things are.</summary>
internal sealed class Svg
{
    /// <summary>Of every chart that is not a matrix: on a phone it then stands at about its own size, and its text with it.</summary>
    public const double Width = 360;

    private readonly XElement _root;
    private readonly double _width;

    /// <param name="id">Unique on the page.</param>
    /// <param name="width">Width of the picture's own coordinates.</param>
    /// <param name="height">Height of them.</param>
    /// <param name="title">What it shows.</param>
    /// <param name="description">What is to be seen in it, with figures.</param>
    public Svg(string id, double width, double height, string title, string description)
    {
        _width = width;
        _root = Tag(
            "svg",
            Attr("role", "img"), Attr("viewBox", $"0 0 {Number(width)} {Number(height)}"), Attr("width", Number(width)), Attr("height", Number(height)),
            Attr("aria-labelledby", $"{id}-title {id}-desc"),
            Tag("title", Attr("id", $"{id}-title"), title),
            Tag("desc", Attr("id", $"{id}-desc"), description));
    }

    /// <summary>The picture with its caption.</summary>
    public XElement Figure(params object?[] caption) => Tag("figure", Tag("figcaption", caption), _root);

    /// <summary>The picture alone.</summary>
    public XElement Root => _root;

    public void Line(string kind, double x1, double y1, double x2, double y2) =>
        _root.Add(Tag("line", Class(kind), Attr("x1", Number(x1)), Attr("y1", Number(y1)), Attr("x2", Number(x2)), Attr("y2", Number(y2))));

    public void Box(string kind, double x, double y, double width, double height, double? opacity = null) => _root.Add(Tag(
        "rect",
        Class(kind), Attr("x", Number(x)), Attr("y", Number(y)), Attr("width", Number(Math.Max(0, width))), Attr("height", Number(Math.Max(0, height))),
        opacity is { } share ? Attr("fill-opacity", Number(share)) : null));

    /// <summary>A line through points, broken where they are.</summary>
    public void Path(string kind, IEnumerable<IReadOnlyList<(double X, double Y)>> pieces)
    {
        var steps = string.Join(" ", pieces.Where(piece => piece.Count > 1)
            .Select(piece => "M" + string.Join("L", piece.Select(p => $"{Number(p.X)},{Number(p.Y)}"))));
        if (steps.Length > 0)
            _root.Add(Tag("path", Class(kind), Attr("d", steps)));
    }

    /// <summary>
    /// A model's own shape, so that models are told apart without colour: a square the teacher's, a triangle of the student alone, a disc of the distilled.
    /// </summary>
    public void Mark(string kind, double x, double y) => _root.Add(Shape(kind, x, y));

    public void Text(double x, double y, string text, string kind = "", string anchor = "start", bool upwards = false) => _root.Add(Tag(
        "text",
        kind.Length > 0 ? Class(kind) : null,
        Attr("x", Number(x)), Attr("y", Number(y)),
        anchor == "start" ? null : Attr("text-anchor", anchor),
        upwards ? Attr("transform", $"rotate(-90 {Number(x)} {Number(y)})") : null,
        text));

    /// <summary>A tick of an axis across, with its text below, which is never cut off at the edge.</summary>
    public void Tick(double x, double axis, string text)
    {
        var half = FittedText.MeasureWidth(text) / 2;
        Line("grid", x, axis, x, axis + 4);
        Text(Math.Clamp(x, half, _width - half), axis + 17, text, "tick", "middle");
    }

    /// <summary>A model's line and mark, to stand beside its name.</summary>
    public static XElement Swatch(string kind) => Tag(
        "svg",
        Class("swatch"), Attr("aria-hidden", "true"), Attr("viewBox", "0 0 32 12"), Attr("width", "32"), Attr("height", "12"),
        Tag("path", Class($"curve {kind}"), Attr("d", "M1,6L31,6")),
        Shape(kind, 16, 6));

    private static XElement Shape(string kind, double x, double y) => kind switch
    {
        "teacher" => Tag("rect", Class("mark teacher"), Attr("x", Number(x - 3.5)), Attr("y", Number(y - 3.5)), Attr("width", "7"), Attr("height", "7")),
        "alone" => Tag("path", Class("mark alone"), Attr("d", $"M{Number(x)},{Number(y - 4.5)}L{Number(x + 4.5)},{Number(y + 3.5)}L{Number(x - 4.5)},{Number(y + 3.5)}Z")),
        _ => Tag("circle", Class("mark student"), Attr("cx", Number(x)), Attr("cy", Number(y)), Attr("r", "4")),
    };

    private static string Number(double value) => (Math.Round(value, 2) + 0.0).ToString("0.##", CultureInfo.InvariantCulture);
}

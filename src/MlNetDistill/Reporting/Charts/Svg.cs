using System.Globalization;
using System.Xml.Linq;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>An SVG picture with a description for screen readers. This class places shapes; the page's style sheet defines how they look.</summary>
internal sealed class Svg
{
    /// <summary>Width of every chart except the matrix: about a phone's, so that text keeps its size there.</summary>
    public const double Width = 360;

    private readonly double _width;

    /// <summary>Creates a picture; title and description, which has the figures, are for screen readers. The id must be unique on the page.</summary>
    public Svg(string id, double width, double height, string title, string description)
    {
        _width = width;
        Root = Tag(
            "svg",
            Attr("role", "img"), Attr("viewBox", $"0 0 {Number(width)} {Number(height)}"), Attr("width", Number(width)), Attr("height", Number(height)),
            Attr("aria-labelledby", $"{id}-title {id}-desc"),
            Tag("title", Attr("id", $"{id}-title"), title),
            Tag("desc", Attr("id", $"{id}-desc"), description));
    }

    /// <summary>The picture with its caption.</summary>
    public XElement Figure(params object?[] caption) => Tag("figure", Tag("figcaption", caption), Root);

    /// <summary>The picture alone.</summary>
    public XElement Root { get; }

    public void Line(string kind, double x1, double y1, double x2, double y2) =>
        Root.Add(Tag("line", Class(kind), Attr("x1", Number(x1)), Attr("y1", Number(y1)), Attr("x2", Number(x2)), Attr("y2", Number(y2))));

    public void Box(string kind, double x, double y, double width, double height, double? opacity = null) => Root.Add(Tag(
        "rect",
        Class(kind), Attr("x", Number(x)), Attr("y", Number(y)), Attr("width", Number(Math.Max(0, width))), Attr("height", Number(Math.Max(0, height))),
        opacity is { } share ? Attr("fill-opacity", Number(share)) : null));

    /// <summary>A line through the points of each piece.</summary>
    public void Path(string kind, IEnumerable<IReadOnlyList<(double X, double Y)>> pieces)
    {
        var steps = string.Join(" ", pieces.Where(piece => piece.Count > 1)
            .Select(piece => "M" + string.Join("L", piece.Select(p => $"{Number(p.X)},{Number(p.Y)}"))));
        if (steps.Length > 0)
            Root.Add(Tag("path", Class(kind), Attr("d", steps)));
    }

    /// <summary>
    /// A shape for each model, so that models can be told apart without colour: square for the teacher, triangle for the student alone, disc for the distilled one, diamond and inverted
    /// triangle for the same in 16 and 8 bits.
    /// </summary>
    public void Mark(string kind, double x, double y) => Root.Add(Shape(kind, x, y));

    public void Text(double x, double y, string text, string kind = "", string anchor = "start", bool upwards = false) => Root.Add(Tag(
        "text",
        kind.Length > 0 ? Class(kind) : null,
        Attr("x", Number(x)), Attr("y", Number(y)),
        anchor == "start" ? null : Attr("text-anchor", anchor),
        upwards ? Attr("transform", $"rotate(-90 {Number(x)} {Number(y)})") : null,
        text));

    /// <summary>Ticks and name of a horizontal axis; the text of a tick is never cut off at the edge.</summary>
    public void Axis(IScale scale, Func<double, double> x, double y, double left, double right, string name)
    {
        foreach (var tick in scale.Ticks)
        {
            var text = scale.Text(tick);
            var half = FittedText.MeasureWidth(text) / 2;
            Line("grid", x(tick), y, x(tick), y + 4);
            Text(Math.Clamp(x(tick), half, _width - half), y + 17, text, "tick", "middle");
        }

        Text((left + right) / 2, y + 35, name, "tick", "middle");
    }

    /// <summary>A name at the left, cut to the room there is, and its figure at the right.</summary>
    public void Heading(double left, double right, double y, string name, string figure, string nameKind = "", string figureKind = "muted")
    {
        Text(left, y, FittedText.Fit(right - left - FittedText.MeasureWidth(figure) - 12, name), nameKind);
        Text(right, y, figure, figureKind, "end");
    }

    /// <summary>A legend: line and mark of each kind of model, and its name.</summary>
    public static XElement Legend(IEnumerable<(string Kind, object Name)> models) =>
        Tag("ul", Class("legend"), models.Select(model => Tag("li", Swatch(model.Kind), " ", model.Name)));

    private static XElement Swatch(string kind) => Tag(
        "svg",
        Class("swatch"), Attr("aria-hidden", "true"), Attr("viewBox", "0 0 32 12"), Attr("width", "32"), Attr("height", "12"),
        Tag("path", Class($"curve {kind}"), Attr("d", "M1,6L31,6")),
        Shape(kind, 16, 6));

    private static XElement Shape(string kind, double x, double y) => kind switch
    {
        "teacher" => Tag("rect", Class("mark teacher"), Attr("x", Number(x - 3.5)), Attr("y", Number(y - 3.5)), Attr("width", "7"), Attr("height", "7")),
        "alone" => Tag("path", Class("mark alone"), Attr("d", $"M{Number(x)},{Number(y - 4.5)}L{Number(x + 4.5)},{Number(y + 3.5)}L{Number(x - 4.5)},{Number(y + 3.5)}Z")),
        "float16" => Tag("path", Class("mark float16"), Attr("d", $"M{Number(x)},{Number(y - 5)}L{Number(x + 5)},{Number(y)}L{Number(x)},{Number(y + 5)}L{Number(x - 5)},{Number(y)}Z")),
        "int8" => Tag("path", Class("mark int8"), Attr("d", $"M{Number(x)},{Number(y + 4.5)}L{Number(x + 4.5)},{Number(y - 3.5)}L{Number(x - 4.5)},{Number(y - 3.5)}Z")),
        _ => Tag("circle", Class("mark student"), Attr("cx", Number(x)), Attr("cy", Number(y)), Attr("r", "4")),
    };

    private static string Number(double value) => (Math.Round(value, 2) + 0.0).ToString("0.##", CultureInfo.InvariantCulture);
}

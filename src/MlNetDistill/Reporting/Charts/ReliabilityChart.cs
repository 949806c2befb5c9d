using System.Xml.Linq;
using MlNetDistill.Evaluation;

namespace MlNetDistill.Reporting;

/// <summary>A reliability diagram: how often a model is correct at each probability; below it, the number of rows.</summary>
internal static class ReliabilityChart
{
    private const double Top = 10;
    private const double Bottom = 210;
    private const double CountsTop = 262;
    private const double CountsBottom = 306;

    public static XElement Draw(string id, ComparedModel model, ModelQuality quality)
    {
        List<ReliabilityBin> bins = [.. quality.Reliability.Where(bin => bin is { Rows: > 0, Accuracy: not null, MeanConfidence: not null })];
        var svg = new Svg(id, Svg.Width, CountsBottom + 26, $"Reliability of {model.Name}", Describe(quality, bins));
        var plot = new Plot(svg, Scale.Shares, Scale.Shares, Top, Bottom);
        plot.Frame("probability of the predicted class");
        foreach (var bin in bins)
        {
            var top = plot.Y(bin.Accuracy!.Value);
            svg.Box($"bar {model.Kind}", plot.X(bin.Lower) + 0.5, top, plot.X(bin.Upper) - plot.X(bin.Lower) - 1, Bottom - top, 0.22);
        }

        svg.Line("ideal", plot.X(0), plot.Y(0), plot.X(1), plot.Y(1));
        svg.Path($"curve {model.Kind}", [[.. bins.Select(bin => (plot.X(bin.MeanConfidence!.Value), plot.Y(bin.Accuracy!.Value)))]]);
        foreach (var bin in bins)
            svg.Mark(model.Kind, plot.X(bin.MeanConfidence!.Value), plot.Y(bin.Accuracy!.Value));
        svg.Text(Plot.Left + 6, Top + 12, "accuracy", "tick");
        Counts(svg, plot, model, bins);
        return svg.Figure(Html.Name(model.Name), $": error {Figures.Points(quality.CalibrationError)}");
    }

    private static void Counts(Svg svg, Plot plot, ComparedModel model, IReadOnlyList<ReliabilityBin> bins)
    {
        var most = Math.Max(1, bins.Select(bin => bin.Rows).DefaultIfEmpty().Max());
        svg.Line("grid", Plot.Left, CountsBottom, Plot.Right, CountsBottom);
        foreach (var bin in bins)
        {
            var height = (CountsBottom - CountsTop) * bin.Rows / most;
            svg.Box($"bar {model.Kind}", plot.X(bin.Lower) + 0.5, CountsBottom - height, plot.X(bin.Upper) - plot.X(bin.Lower) - 1, height);
        }

        svg.Text((Plot.Left + Plot.Right) / 2, CountsBottom + 18, $"rows in each bin (most: {Figures.Count(most)})", "tick", "middle");
    }

    private static string Describe(ModelQuality quality, IReadOnlyList<ReliabilityBin> bins) =>
        $"Expected calibration error {Figures.Points(quality.CalibrationError)}, mean probability of the predicted class " +
        $"{Figures.Percent(quality.MeanConfidence)}, accuracy {Figures.Percent(quality.Accuracy)}. {string.Join(" ", bins.Select(Describe))}";

    private static string Describe(ReliabilityBin bin) =>
        $"Of {Figures.Count(bin.Rows, "row")} with a mean probability of {Figures.Percent(bin.MeanConfidence!.Value)}, " +
        $"{Figures.Percent(bin.Accuracy!.Value)} are correct.";
}

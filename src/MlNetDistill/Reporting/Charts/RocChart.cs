using System.Xml.Linq;
using MlNetDistill.Evaluation;

namespace MlNetDistill.Reporting;

/// <summary>Receiver operating characteristics: true accept rate against false accept rate, this one on a logarithmic axis, because only small ones are of use.</summary>
internal static class RocChart
{
    private const double Top = 8;
    private const double Bottom = 210;

    public static XElement Draw(string id, IReadOnlyList<(ComparedModel Model, VerificationMetrics Metrics)> curves)
    {
        var svg = new Svg(id, Svg.Width, Bottom + 42, "True accept rate by false accept rate", string.Join(" ", curves.Select(curve => Describe(curve.Model, curve.Metrics))));
        var rates = RateScale.FromSmallest(curves.Min(curve => 1.0 / curve.Metrics.Negatives));
        var plot = new Plot(svg, rates, Scale.Shares, Top, Bottom);
        plot.Frame("false accept rate (log scale)");
        foreach (var (model, metrics) in curves)
        {
            svg.Path($"curve {model.Kind}", [[.. Steps(metrics.Curve).Select(point => (plot.X(rates.Clamp(point.Far)), plot.Y(point.Tar)))]]);
            foreach (var rate in metrics.AcceptRates.Where(rate => rate.FalseAcceptRate >= rates.Low))
                svg.Mark(model.Kind, plot.X(rate.FalseAcceptRate), plot.Y(rate.TrueAcceptRate));
        }

        return svg.Figure("Pairs of the same identity accepted");
    }

    /// <summary>Between two points of the curve the true accept rate is that of the first.</summary>
    private static IEnumerable<(double Far, double Tar)> Steps(IReadOnlyList<RatePoint> curve)
    {
        var accepted = 0.0;
        foreach (var point in curve)
        {
            yield return (point.FalseAcceptRate, accepted);
            accepted = point.TrueAcceptRate;
            yield return (point.FalseAcceptRate, accepted);
        }

        yield return (1, accepted);
    }

    private static string Describe(ComparedModel model, VerificationMetrics metrics) =>
        $"{model.Name}: area under the curve {Figures.Number(metrics.AreaUnderCurve)}; {string.Join(", ", metrics.AcceptRates.Select(rate => $"{Figures.Percent(rate.TrueAcceptRate)} at {Figures.Compact(rate.FalseAcceptRate)}"))}.";
}

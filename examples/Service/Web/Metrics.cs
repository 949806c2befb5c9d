using System.Diagnostics.Metrics;
using OpenTelemetry.Metrics;
using Service.Scoring;

namespace Service.Web;

/// <summary>
/// What <c>/metrics</c> shows: the instruments of this service and those of ASP.NET. All are of System.Diagnostics.Metrics, so what shows them can be exchanged
/// without touching what counts.
/// </summary>
/// <remarks>
/// OpenTelemetry (Apache 2.0) is well kept, but its page for Prometheus is released as a beta only. prometheus-net is stable, but of 2024, and it shows such
/// instruments wrongly: what was counted before the page is first read is lost, and so is what does not change for five minutes.
/// </remarks>
internal static class Metrics
{
    // From ten microseconds, which a small student takes, to ten seconds.
    private static readonly double[] Seconds =
        [1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    public static void AddMetrics(this WebApplicationBuilder builder) => builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics
        .AddMeter(ScoringInstruments.MeterName, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel")
        .AddView(instrument => instrument is Histogram<double> ? new ExplicitBucketHistogramConfiguration { Boundaries = Seconds } : null)
        .AddPrometheusExporter(exporter => exporter.ScrapeResponseCacheDurationMilliseconds = 0));
}

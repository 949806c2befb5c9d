using System.Diagnostics.Metrics;
using OpenTelemetry.Metrics;
using Service.Scoring;

namespace Service.Web;

/// <summary>
/// <c>/metrics</c>: the instruments of this service and those of ASP.NET. All are of System.Diagnostics.Metrics, so the exporter can be exchanged without changing the
/// instruments.
/// </summary>
/// <remarks>
/// OpenTelemetry (Apache 2.0) is well maintained, but its exporter for Prometheus is only a beta. prometheus-net is stable, but from 2024, and shows such instruments
/// wrongly: it loses what was counted before the page is first read, and what does not change for five minutes.
/// </remarks>
internal static class Metrics
{
    // From 10 µs, the time of a small student, to 10 s.
    private static readonly double[] Seconds =
        [1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    public static void AddMetrics(this WebApplicationBuilder builder) => builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics
        .AddMeter(ScoringInstruments.MeterName, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel")
        .AddView(instrument => instrument is Histogram<double> ? new ExplicitBucketHistogramConfiguration { Boundaries = Seconds } : null)
        .AddPrometheusExporter(exporter => exporter.ScrapeResponseCacheDurationMilliseconds = 0));
}

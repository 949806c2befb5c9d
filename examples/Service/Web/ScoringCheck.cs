using Microsoft.Extensions.Diagnostics.HealthChecks;
using Service.Scoring;

namespace Service.Web;

/// <summary>
/// The service is ready if it can score: a row of zeros must get probabilities. It is degraded while it serves another student than that of the file, because the file was
/// refused.
/// </summary>
internal sealed class ScoringCheck(CurrentStudent current, IHostApplicationLifetime lifetime) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (lifetime.ApplicationStopping.IsCancellationRequested)
            return HealthCheckResult.Unhealthy("The service is stopping.");
        var served = current.Take();
        try
        {
            if (await served.Try() is { } fault)
                return HealthCheckResult.Unhealthy(fault);
            return current.Refusal is { } refusal
                ? HealthCheckResult.Degraded($"The student in service stays: {refusal}")
                : HealthCheckResult.Healthy($"Scores {served.Student.Features.Length} features into {served.Student.Classes.Count} classes.");
        }
        finally
        {
            served.RemoveUser();
        }
    }

    /// <summary>The status, for programs; for people, why it is not healthy.</summary>
    public static Task Write(HttpContext context, HealthReport report)
    {
        var reasons = report.Entries.Values.Where(entry => entry.Status != HealthStatus.Healthy).Select(entry => $": {entry.Description ?? entry.Exception?.Message}");
        return context.Response.WriteAsync($"{report.Status}{string.Concat(reasons)}");
    }
}

using Microsoft.Extensions.Diagnostics.HealthChecks;
using Service.Scoring;

namespace Service.Web;

/// <summary>The service is ready if it can score: a row of zeros must get probabilities.</summary>
internal sealed class ScoringCheck(LoadedStudent student, IScorer scorer, IHostApplicationLifetime lifetime) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (lifetime.ApplicationStopping.IsCancellationRequested)
            return HealthCheckResult.Unhealthy("The service is stopping.");
        var sum = (await scorer.Score(new float[student.Features.Length])).Sum();
        // A tolerance for rounding, enough for many classes.
        return Math.Abs(sum - 1) < 1e-3
            ? HealthCheckResult.Healthy($"Scores {student.Features.Length} features into {student.Classes.Count} classes.")
            : HealthCheckResult.Unhealthy(FormattableString.Invariant($"The probabilities of a row of zeros sum to {sum}."));
    }
}

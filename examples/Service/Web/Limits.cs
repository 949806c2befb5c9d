using System.Globalization;
using System.Net;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Mvc;

namespace Service.Web;

/// <summary>Limits for requests at the same time and from one client: above them the answer is status 429, before the service is too busy to answer at all.</summary>
internal static class Limits
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    public static void AddLimits(this WebApplicationBuilder builder, ServiceSettings settings)
    {
        var together = PartitionedRateLimiter.Create<HttpContext, int>(_ => RateLimitPartition.GetConcurrencyLimiter(0, _ => new ConcurrencyLimiterOptions
        {
            PermitLimit = settings.MaxConcurrent > 0 ? settings.MaxConcurrent : 2 * Environment.ProcessorCount * settings.MaxBatch,
            QueueLimit = settings.MaxQueued,
        }));
        var ofOne = PartitionedRateLimiter.Create<HttpContext, IPAddress>(context => RateLimitPartition.GetTokenBucketLimiter(
            context.Connection.RemoteIpAddress ?? IPAddress.None,
            _ => new TokenBucketRateLimiterOptions { TokenLimit = settings.RequestsPerSecond, TokensPerPeriod = settings.RequestsPerSecond, ReplenishmentPeriod = Second }));
        builder.Services.AddRateLimiter(options =>
        {
            options.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
            options.GlobalLimiter = settings.RequestsPerSecond > 0 ? PartitionedRateLimiter.CreateChained(ofOne, together) : together;
            options.OnRejected = async (rejected, _) =>
            {
                rejected.HttpContext.Response.Headers.RetryAfter = Second.TotalSeconds.ToString(CultureInfo.InvariantCulture);
                await rejected.HttpContext.RequestServices.GetRequiredService<IProblemDetailsService>().TryWriteAsync(new ProblemDetailsContext
                {
                    HttpContext = rejected.HttpContext,
                    ProblemDetails = new ProblemDetails { Status = StatusCodes.Status429TooManyRequests, Detail = "The service is busy; try again in a second." },
                });
            };
        });
    }
}

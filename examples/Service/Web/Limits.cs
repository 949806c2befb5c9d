using System.Globalization;
using System.Net;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Mvc;

namespace Service.Web;

/// <summary>How much is done at a time and for one client: who asks for more is told to come back (429), before the service is too busy to say anything.</summary>
internal static class Limits
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    public static void AddLimits(this WebApplicationBuilder builder, ServiceSettings settings)
    {
        var together = PartitionedRateLimiter.Create<HttpContext, int>(_ => RateLimitPartition.GetConcurrencyLimiter(0, _ => new ConcurrencyLimiterOptions
        {
            PermitLimit = settings.MaxConcurrent > 0 ? settings.MaxConcurrent : 2 * Environment.ProcessorCount,
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
                    ProblemDetails = new ProblemDetails { Status = StatusCodes.Status429TooManyRequests, Detail = "The service is busy; ask again in a second." },
                });
            };
        });
    }
}

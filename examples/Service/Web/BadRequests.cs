using System.Text.Json;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Mvc;

namespace Service.Web;

/// <summary>Answers a request that cannot be read with problem details (RFC 9457) that say why.</summary>
internal sealed class BadRequests(IProblemDetailsService problems) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext context, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is not BadHttpRequestException bad)
            return false;
        context.Response.StatusCode = bad.StatusCode;
        return await problems.TryWriteAsync(new ProblemDetailsContext
        {
            HttpContext = context,
            ProblemDetails = new ProblemDetails { Status = bad.StatusCode, Detail = Detail(bad) },
        });
    }

    private static string Detail(BadHttpRequestException bad)
    {
        if (bad.StatusCode != StatusCodes.Status400BadRequest)
            return bad.Message;
        var where = bad.InnerException is JsonException json
            ? $"it cannot be read at {json.Path ?? "$"} (line {json.LineNumber + 1}, near byte {json.BytePositionInLine})"
            : "it is empty";
        return $"The body must be like {{\"features\": [0.5, 1]}}; {where}.";
    }
}

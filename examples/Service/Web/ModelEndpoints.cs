using Microsoft.AspNetCore.Http.HttpResults;
using Service.Scoring;

namespace Service.Web;

/// <summary><c>GET /model</c>: which student is served. <c>POST /model/reload</c>: replace it by that in the file, now.</summary>
internal static class ModelEndpoints
{
    public static void MapModel(this WebApplication app)
    {
        app.MapGet("/model", Describe).ForManagement().DisableRateLimiting();
        app.MapPost("/model/reload", Reload).ForManagement().DisableRateLimiting();
    }

    private static ModelAnswer Describe(CurrentStudent current)
    {
        var served = current.Take();
        try
        {
            var student = served.Student;
            return new(student.File.Path, student.File.Sha256, student.Loaded, student.Features.Length, student.Classes, current.Refusal);
        }
        finally
        {
            served.RemoveUser();
        }
    }

    private static async Task<Results<Ok<ModelAnswer>, ProblemHttpResult>> Reload(CurrentStudent current) => await current.Reload() is { } refusal
        ? TypedResults.Problem(refusal, statusCode: StatusCodes.Status409Conflict, title: "The student in service stays.")
        : TypedResults.Ok(Describe(current));
}

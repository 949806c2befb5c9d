using System.Diagnostics;
using Microsoft.AspNetCore.Http.HttpResults;
using Service.Scoring;

namespace Service.Web;

/// <summary><c>POST /score</c>.</summary>
internal static class ScoreEndpoint
{
    public static async Task<Results<Ok<ScoreAnswer>, ValidationProblem>> Score(ScoreRequest request, CurrentStudent current, ScoringInstruments instruments)
    {
        // One student for the whole request, even if another replaces it meanwhile.
        var served = current.Take();
        try
        {
            return await Score(request, served, instruments);
        }
        finally
        {
            served.RemoveUser();
        }
    }

    private static async Task<Results<Ok<ScoreAnswer>, ValidationProblem>> Score(ScoreRequest request, ServedStudent served, ScoringInstruments instruments)
    {
        var student = served.Student;
        if (FaultOf(request.Features, student.Features) is { } fault)
            return Refuse(fault);
        var start = Stopwatch.GetTimestamp();
        float[] scores;
        try
        {
            scores = await served.Scorer.Score(request.Features!);
        }
        catch
        {
            instruments.Failed.Add(1);
            throw;
        }

        instruments.Duration.Record(Stopwatch.GetElapsedTime(start).TotalSeconds);
        if (!scores.All(float.IsFinite))
            return Refuse("such values are too large for the student: its probabilities are not finite.");
        var label = student.Classes[Array.IndexOf(scores, scores.Max())];
        instruments.Scored.Add(1, new KeyValuePair<string, object?>("label", label));
        return TypedResults.Ok(new ScoreAnswer(label, Enumerable.Range(0, scores.Length).ToDictionary(i => student.Classes[i], i => scores[i])));

        ValidationProblem Refuse(string fault)
        {
            instruments.Refused.Add(1);
            return TypedResults.ValidationProblem(new Dictionary<string, string[]> { ["features"] = [fault] }, detail: fault);
        }
    }

    /// <summary>The error of a row, or null.</summary>
    private static string? FaultOf(float[]? features, FeatureColumn column)
    {
        if (features is null)
            return $"features must be an array of {column.Length} numbers; it is missing.";
        if (features.Length != column.Length)
            return $"features must hold {column.Length} numbers; found {features.Length}.";
        var at = Array.FindIndex(features, value => !(column.IsByte ? value is >= 0 and <= 255 && value == MathF.Floor(value) : float.IsFinite(value)));
        var expected = column.IsByte ? "a whole number from 0 to 255" : "a finite number";
        return at < 0 ? null : FormattableString.Invariant($"features[{at}] must be {expected}; found {features[at]}.");
    }
}

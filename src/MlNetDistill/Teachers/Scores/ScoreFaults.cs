using System.Globalization;

namespace MlNetDistill.Teachers;

/// <summary>What a row of scores must be, and what is said of one that is not: the same for rows in tensors and for rows one by one.</summary>
internal static class ScoreFaults
{
    /// <summary>How far from 1 probabilities may sum.</summary>
    public const double SumTolerance = 1e-3;

    /// <summary>The most a probability may be: float softmaxes round.</summary>
    public const double Above1 = 1.0001;

    /// <summary>The error for a row that holds a score that is NaN or infinite.</summary>
    public static InvalidOperationException NotFinite(string subject, string row, ReadOnlySpan<float> scores)
    {
        var at = 0;
        while (float.IsFinite(scores[at]))
            at++;
        return new InvalidOperationException(
            $"{subject} must hold finite scores; {row} has {scores[at].ToString(CultureInfo.InvariantCulture)} for its class {at}. " +
            "Usually a feature of that row is missing or NaN: replace it with mlContext.Transforms.ReplaceMissingValues, or leave the row out.");
    }

    /// <summary>The error for a row that is no distribution over classes.</summary>
    /// <param name="subject">Where the scores are.</param>
    /// <param name="kind">What the caller says they are.</param>
    /// <param name="row">What to call the row.</param>
    /// <param name="scores">The row.</param>
    /// <param name="hint">What to do, or null for what is said of teachers.</param>
    public static InvalidOperationException NotProbabilities(string subject, ScoreKind kind, string row, ReadOnlySpan<float> scores, string? hint) => new(
        (kind == ScoreKind.Auto ? $"{subject} does not hold probabilities: " : $"{subject} was said to hold probabilities, but ") +
        $"{row} holds {Shown(scores)}. " +
        (hint ?? "Give ScoreKind.Logits if these are scores before softmax; a model that gives neither must be calibrated first."));

    /// <summary>The first few scores and the sum of all.</summary>
    public static string Shown(ReadOnlySpan<float> scores)
    {
        var values = scores.ToArray();
        return string.Join(", ", values.Take(5).Select(s => s.ToString("0.####", CultureInfo.InvariantCulture))) +
            $"{(values.Length > 5 ? ", …" : "")}, which sum to {values.Sum(v => (double)v).ToString("0.####", CultureInfo.InvariantCulture)}";
    }
}

using System.Globalization;

namespace MlNetDistill.Alignment;

/// <summary>What a row of scores must be, and the errors for rows that are not: the same for rows in tensors and for single rows.</summary>
internal static class ScoreFaults
{
    private const double RecognisedSumTolerance = 1e-3;
    private const double DeclaredSumTolerance = 0.05;

    /// <summary>The most a probability may be: float softmaxes round.</summary>
    public const double Above1 = 1.0001;

    /// <summary>
    /// How far from 1 the sum of a row of probabilities may be. It is more where the caller declares them as probabilities, as they may be rounded: two digits
    /// are off by up to 0.005 per class.
    /// </summary>
    public static double SumTolerance(ScoreKind kind) => kind == ScoreKind.Probabilities ? DeclaredSumTolerance : RecognisedSumTolerance;

    /// <summary>Whether a row would be accepted as rounded probabilities if the caller declared them as probabilities.</summary>
    public static bool LookRounded(float[] scores) => InRange(scores) && Math.Abs(Sum(scores) - 1) <= DeclaredSumTolerance;

    /// <summary>What to do about <see cref="LookRounded"/> probabilities.</summary>
    public static string RoundedRemedy => FormattableString.Invariant(
        $"They look like rounded probabilities: set ScoreKind.Probabilities, and rows whose sum is within {DeclaredSumTolerance} of 1 are scaled to sum to 1.");

    /// <summary>The error for a row that holds a score that is NaN or infinite.</summary>
    public static InvalidOperationException NotFinite(string subject, string row, float[] scores)
    {
        var index = Array.FindIndex(scores, score => !float.IsFinite(score));
        return new InvalidOperationException(
            $"{subject} must hold finite scores; {row} has {scores[index].ToString(CultureInfo.InvariantCulture)} for class {index} (counted from 0). " + scores[index] switch
            {
                float.NegativeInfinity =>
                    "That is the logarithm of 0: give the probabilities themselves (ScoreKind.Probabilities), where 0 counts as 1e-30, or take the logarithm of at least 1e-30.",
                float.PositiveInfinity =>
                    "The number is too large for a 32-bit float: check the model's weights and the scale of its features.",
                _ => "Usually a feature of that row is missing or NaN: replace it with mlContext.Transforms.ReplaceMissingValues, or leave the row out.",
            });
    }

    /// <summary>The error for a row that is not a distribution over classes.</summary>
    /// <param name="subject">Where the scores are.</param>
    /// <param name="kind">The declared kind.</param>
    /// <param name="row">The row's name in the message.</param>
    /// <param name="scores">The row.</param>
    /// <param name="hint">What to do; null for the text for teachers.</param>
    public static InvalidOperationException NotProbabilities(string subject, ScoreKind kind, string row, float[] scores, string? hint)
    {
        var remedy = LookRounded(scores) ? RoundedRemedy
            : scores.All(score => score >= 0) && Math.Abs(Sum(scores) - 100) <= 100 * DeclaredSumTolerance ? "They look like percentages: divide them by 100."
            : kind == ScoreKind.Probabilities && InRange(scores) ? SumRemedy
            : hint ?? "Set ScoreKind.Logits if these are scores before softmax; a model that gives neither must be calibrated first.";
        var problem = kind == ScoreKind.Auto ? "does not hold probabilities:" : "is declared to hold probabilities, but";
        return new($"{subject} {problem} {row} holds {Describe(scores)}. {remedy}");
    }

    /// <summary>The first few scores and the sum of all.</summary>
    public static string Describe(float[] scores) =>
        string.Join(", ", scores.Take(5).Select(score => score.ToString("0.####", CultureInfo.InvariantCulture))) +
        $"{(scores.Length > 5 ? ", …" : "")}, which sum to {Sum(scores).ToString("0.####", CultureInfo.InvariantCulture)}";

    private static string SumRemedy => FormattableString.Invariant(
        $"Rows must sum to 1 within {DeclaredSumTolerance}. Give a score for every class, with more digits if they are rounded, or set ScoreKind.Margins if each score comes from a classifier of its own.");

    private static double Sum(float[] scores) => scores.Sum(score => (double)score);

    private static bool InRange(float[] scores) => scores.All(score => score >= 0 && score <= Above1);
}

using System.Globalization;

namespace MlNetDistill.Alignment;

/// <summary>What a row of scores must be, and what is said of one that is not: the same for rows in tensors and for rows one by one.</summary>
internal static class ScoreFaults
{
    private const double RecognisedSumTolerance = 1e-3;
    private const double DeclaredSumTolerance = 0.05;

    /// <summary>The most a probability may be: float softmaxes round.</summary>
    public const double Above1 = 1.0001;

    /// <summary>
    /// How far from 1 probabilities may sum: further where the caller says that they are probabilities, as they may be rounded. Two digits are off by up to
    /// 0.005 a class.
    /// </summary>
    public static double SumTolerance(ScoreKind kind) => kind == ScoreKind.Probabilities ? DeclaredSumTolerance : RecognisedSumTolerance;

    /// <summary>Whether a row would pass as rounded probabilities if the caller said that they are.</summary>
    public static bool LookRounded(ReadOnlySpan<float> scores)
    {
        var sum = 0.0;
        foreach (var score in scores)
            sum += score;
        return InRange(scores) && Math.Abs(sum - 1) <= DeclaredSumTolerance;
    }

    /// <summary>What to do about <see cref="LookRounded"/> probabilities that were only recognised as such.</summary>
    public static string RoundedRemedy => FormattableString.Invariant(
        $"They look like probabilities that were rounded: say that they are (ScoreKind.Probabilities), and rows whose sum is within {DeclaredSumTolerance} of 1 are scaled to sum to 1.");

    /// <summary>The error for a row that holds a score that is NaN or infinite.</summary>
    public static InvalidOperationException NotFinite(string subject, string row, ReadOnlySpan<float> scores)
    {
        var at = 0;
        while (float.IsFinite(scores[at]))
            at++;
        return new InvalidOperationException(
            $"{subject} must hold finite scores; {row} has {scores[at].ToString(CultureInfo.InvariantCulture)} for its class {at}. " + scores[at] switch
            {
                float.NegativeInfinity =>
                    "That is the logarithm of 0: give the probabilities themselves (ScoreKind.Probabilities), of which 0 counts as 1e-30, or take the logarithm of at least 1e-30.",
                float.PositiveInfinity =>
                    "That is no missing value but a number too large for 32-bit floats: check the model's weights and the scale of what it reads.",
                _ => "Usually a feature of that row is missing or NaN: replace it with mlContext.Transforms.ReplaceMissingValues, or leave the row out.",
            });
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
        (LookRounded(scores) ? RoundedRemedy : ArePercentages(scores) ? "They look like percentages: divide them by 100." : kind == ScoreKind.Probabilities && InRange(scores) ? OffRemedy :
            hint ?? "Give ScoreKind.Logits if these are scores before softmax; a model that gives neither must be calibrated first."));

    private static string OffRemedy => FormattableString.Invariant(
        $"Rows must sum to 1 within {DeclaredSumTolerance}. Give a score for every class, with more digits if they are rounded, or ScoreKind.Margins if each score is one classifier's own.");

    private static bool ArePercentages(ReadOnlySpan<float> scores)
    {
        var sum = 0.0;
        foreach (var score in scores)
        {
            if (!(score >= 0))
                return false;
            sum += score;
        }

        return Math.Abs(sum - 100) <= 100 * DeclaredSumTolerance;
    }

    private static bool InRange(ReadOnlySpan<float> scores)
    {
        foreach (var score in scores)
        {
            if (!(score >= 0 && score <= Above1))
                return false;
        }

        return true;
    }

    /// <summary>The first few scores and the sum of all.</summary>
    public static string Shown(ReadOnlySpan<float> scores)
    {
        var values = scores.ToArray();
        return string.Join(", ", values.Take(5).Select(s => s.ToString("0.####", CultureInfo.InvariantCulture))) +
            $"{(values.Length > 5 ? ", …" : "")}, which sum to {values.Sum(v => (double)v).ToString("0.####", CultureInfo.InvariantCulture)}";
    }
}

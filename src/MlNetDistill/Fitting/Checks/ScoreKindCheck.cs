using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>Whether a teacher's scores are probabilities that were taken for something else.</summary>
internal static class ScoreKindCheck
{
    private const double SumTolerance = 1e-3;

    // A margin of 0 comes back from log σ as a last digit of a 32-bit float below or above it.
    private const double RangeTolerance = 1e-6;

    /// <summary>What is to be said if every row is a distribution; null if not. Logits or margins that are such in every row do not come by chance.</summary>
    /// <param name="logits">What the scores were turned into, N×K.</param>
    public static string? Warning(Tensor logits)
    {
        using var scope = NewDisposeScope();
        if (logits.shape[0] < 2 || logits.shape[1] < 2)
            return null;
        var scores = logits.to(float64);
        if (AreDistributions(scores))
            return CreateWarning(nameof(ScoreKind.Logits), "softmax");
        // Of margins the logit is log σ(margin).
        var shares = scores.exp();
        return AreDistributions(shares.log() - (1 - shares).log()) ? CreateWarning(nameof(ScoreKind.Margins), "the sigmoid function") : null;
    }

    private static bool AreDistributions(Tensor scores) =>
        (scores.ge(-RangeTolerance).all() & scores.le(1 + RangeTolerance).all() & (scores.sum([1]) - 1).abs().le(SumTolerance).all()).item<bool>();

    private static string CreateWarning(string kind, string function) =>
        $"Every answer of the teacher that was looked at is in [0, 1] and sums to 1 over the classes, as probabilities do, and is taken for ScoreKind.{kind}: {function} makes nearly " +
        "equal probabilities of it, which say next to nothing. Give ScoreKind.Probabilities; of a network, give what it has before its softmax.";
}

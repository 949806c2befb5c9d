using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>Detects probabilities that are used as logits or margins.</summary>
internal static class ScoreKindCheck
{
    private const double SumTolerance = 1e-3;

    // Computed back from log σ, a margin of 0 differs from 0 by the rounding of 32-bit floats.
    private const double RangeTolerance = 1e-6;

    /// <summary>
    /// A warning if the scores of every row, from which the logits (N×K) were computed, are a probability distribution: logits and margins are not by chance. Else null.
    /// </summary>
    public static string? Warning(Tensor logits)
    {
        using var scope = NewDisposeScope();
        if (logits.shape[0] < 2 || logits.shape[1] < 2)
            return null;
        var scores = logits.to(float64);
        if (AreDistributions(scores))
            return CreateWarning(nameof(ScoreKind.Logits), "softmax");
        // The logit of a margin is log σ(margin).
        var shares = scores.exp();
        return AreDistributions(shares.log() - (1 - shares).log()) ? CreateWarning(nameof(ScoreKind.Margins), "the sigmoid function") : null;
    }

    private static bool AreDistributions(Tensor scores) =>
        (scores.ge(-RangeTolerance).all() & scores.le(1 + RangeTolerance).all() & (scores.sum([1]) - 1).abs().le(SumTolerance).all()).item<bool>();

    private static string CreateWarning(string kind, string function) =>
        $"All checked scores of the teacher are in [0, 1] and sum to 1 over the classes, as probabilities do, but they are used as ScoreKind.{kind}: {function} turns them into nearly " +
        "equal probabilities, which carry hardly any information. Give ScoreKind.Probabilities; for a network, give its outputs before softmax.";
}

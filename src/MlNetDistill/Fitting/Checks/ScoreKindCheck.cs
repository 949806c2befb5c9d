using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>Detects probabilities that are used as logits or margins.</summary>
internal sealed class ScoreKindCheck
{
    private const double SumTolerance = 1e-3;

    // Computed back from log σ, a margin of 0 differs from 0 by the rounding of 32-bit floats.
    private const double RangeTolerance = 1e-6;

    private bool _logitsAre = true;
    private bool _marginsAre = true;
    private long _rows;

    /// <summary>
    /// A warning if the scores of every row, from which the logits (N×K) were computed, are a probability distribution: logits and margins are not by chance. Else null.
    /// </summary>
    public static string? Warning(Tensor logits)
    {
        var check = new ScoreKindCheck();
        check.Add(logits);
        return check.Warning();
    }

    /// <summary>Adds the logits of some rows.</summary>
    public void Add(Tensor logits)
    {
        _rows += logits.shape[0];
        if (!_logitsAre && !_marginsAre)
            return;
        using var scope = NewDisposeScope();
        var scores = logits.to(float64);
        _logitsAre = _logitsAre && logits.shape[1] >= 2 && AreDistributions(scores);
        if (!_marginsAre)
            return;
        // The logit of a margin is log σ(margin).
        var shares = scores.exp();
        _marginsAre = logits.shape[1] >= 2 && AreDistributions(shares.log() - (1 - shares).log());
    }

    /// <summary>The warning for all rows that were added; null for none.</summary>
    public string? Warning() => _rows < 2 ? null
        : _logitsAre ? CreateWarning(nameof(ScoreKind.Logits), "softmax")
        : _marginsAre ? CreateWarning(nameof(ScoreKind.Margins), "the sigmoid function")
        : null;

    private static bool AreDistributions(Tensor scores) =>
        (scores.ge(-RangeTolerance).all() & scores.le(1 + RangeTolerance).all() & (scores.sum([1]) - 1).abs().le(SumTolerance).all()).item<bool>();

    private static string CreateWarning(string kind, string function) =>
        $"All checked scores of the teacher are in [0, 1] and sum to 1 over the classes, as probabilities do, but they are used as ScoreKind.{kind}: {function} turns them into nearly " +
        "equal probabilities, which carry hardly any information. Give ScoreKind.Probabilities; for a network, give its outputs before softmax.";
}

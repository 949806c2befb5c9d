using MlNetDistill.Core;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Alignment;

/// <summary>Converts a teacher's scores to logits in the student's class order, and throws for scores that are not of their kind.</summary>
/// <param name="aligned">Their kind and their classes.</param>
internal sealed class ScoreReader(AlignedScores aligned)
{
    /// <summary>
    /// The floor for probabilities: softmaxes in 32 bits and trees give exact zeros, whose logarithm no loss can use. It is this low because a temperature
    /// enlarges small probabilities: at temperature 4, a floor of 1e-7 cost a student a point of accuracy on the test rows of letter-recognition.
    /// </summary>
    public const float ProbabilityFloor = 1e-30f;

    /// <summary>
    /// Recognises the kind of an imported model's scores from some rows: logits if any is outside [0, 1], else <see cref="ScoreKind.Auto"/> for probabilities.
    /// </summary>
    /// <param name="subject">The name of the scores in messages.</param>
    /// <param name="kind">The declared kind, which is returned unless it is Auto.</param>
    /// <param name="scores">N×K'.</param>
    /// <exception cref="InvalidOperationException">Their kind is not set and cannot be recognised.</exception>
    public static ScoreKind Resolve(string subject, ScoreKind kind, Tensor scores)
    {
        if (kind != ScoreKind.Auto)
            return kind;
        if (Recognise(scores) is { } recognised)
            return recognised;
        using var scope = NewDisposeScope();
        scores = scores[scores.isfinite().all(1)];
        if (FindNonDistribution(scores, kind) is { } row)
        {
            var values = Values(scores[row]);
            throw new InvalidOperationException(
                $"{subject} may hold probabilities or logits: all scores are in [0, 1], but one row holds {ScoreFaults.Describe(values)}. " +
                (ScoreFaults.LookRounded(values) ? ScoreFaults.RoundedRemedy : "Set scoreKind: Logits for scores before softmax, Margins for an uncalibrated decision value for each class."));
        }

        return ScoreKind.Auto;
    }

    /// <summary>Recognises the kind of scores: logits, or <see cref="ScoreKind.Auto"/> for probabilities; null if it is unclear.</summary>
    /// <param name="scores">N×K'.</param>
    public static ScoreKind? Recognise(Tensor scores)
    {
        using var scope = NewDisposeScope();
        // Rows with NaN are left out here; reading them throws.
        scores = scores[scores.isfinite().all(1)];
        if (scores.numel() > 0 && (scores.min().item<float>() < 0 || scores.max().item<float>() > ScoreFaults.Above1))
            return ScoreKind.Logits;
        return FindNonDistribution(scores, ScoreKind.Auto) is null ? ScoreKind.Auto : null;
    }

    /// <summary>Scores N×K' to logits N×K, in the current dispose scope.</summary>
    /// <param name="scores">32-bit floats.</param>
    /// <param name="row">Gives a row's name in messages from its index.</param>
    /// <exception cref="InvalidOperationException">A score is NaN, infinite or not of the stated kind.</exception>
    public Tensor ToLogits(Tensor scores, Func<int, string> row)
    {
        using var scope = NewDisposeScope();
        CheckFinite(scores, row);
        var logits = aligned.Kind switch
        {
            ScoreKind.Logits => scores,
            ScoreKind.Margins => functional.logsigmoid(scores),
            _ => Logarithm(scores, row),
        };
        var ordered = aligned.Order.Apply(logits);
        return (ReferenceEquals(ordered, scores) ? scores.alias() : ordered).MoveToOuterDisposeScope();
    }

    private Tensor Logarithm(Tensor scores, Func<int, string> row)
    {
        if (FindNonDistribution(scores, aligned.Kind) is { } wrong)
            throw ScoreFaults.NotProbabilities(aligned.Subject, aligned.Kind, row(wrong), Values(scores[wrong]), aligned.Hint);
        // Rows need no scaling to a sum of 1: softmax cancels a common factor.
        return scores.ClampMin(ProbabilityFloor).log();
    }

    /// <summary>The first row that is not a distribution over classes.</summary>
    private static int? FindNonDistribution(Tensor scores, ScoreKind kind)
    {
        using var scope = NewDisposeScope();
        var outside = scores.ClampMin(0).ne(scores).any(1).logical_or(scores.IsAtMost(ScoreFaults.Above1).logical_not().any(1));
        var off = scores.to(float64).sum([1]).Add(-1).abs().IsAtMost(ScoreFaults.SumTolerance(kind)).logical_not();
        return First(outside.logical_or(off));
    }

    private void CheckFinite(Tensor scores, Func<int, string> row)
    {
        if (First(scores.isfinite().logical_not().any(1)) is { } wrong)
            throw ScoreFaults.NotFinite(aligned.Subject, row(wrong), Values(scores[wrong]));
    }

    private static int? First(Tensor wrong) => wrong.any().item<bool>() ? (int)wrong.to(int8).argmax().item<long>() : null;

    private static float[] Values(Tensor row) => row.cpu().data<float>().ToArray();
}

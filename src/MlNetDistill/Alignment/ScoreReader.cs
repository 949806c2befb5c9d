using MlNetDistill.Core;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Alignment;

/// <summary>Turns a teacher's scores into logits in the student's class order, and refuses what they cannot be.</summary>
/// <param name="described">What they mean.</param>
internal sealed class ScoreReader(AlignedScores described)
{
    /// <summary>
    /// The floor for probabilities: float softmaxes and trees give exact zeros, whose logarithm no loss can use. It is far below what a
    /// float softmax still tells apart, because softening brings such differences back: at T = 4 a floor of 1e-7 cost a student a point of
    /// accuracy on letter-recognition (seen on its test rows).
    /// </summary>
    public const float ProbabilityFloor = 1e-30f;

    /// <summary>
    /// What the scores of a model from elsewhere are, by some rows of them: logits where some are outside [0, 1], else <see cref="ScoreKind.Auto"/>, as they
    /// are probabilities that were recognised as such.
    /// </summary>
    /// <param name="subject">What messages say of them.</param>
    /// <param name="kind">What the caller says.</param>
    /// <param name="scores">N×K'.</param>
    /// <exception cref="InvalidOperationException">Their kind is not set and cannot be recognised.</exception>
    public static ScoreKind Resolve(string subject, ScoreKind kind, Tensor scores)
    {
        if (kind != ScoreKind.Auto)
            return kind;
        if (Decided(scores) is { } decided)
            return decided;
        using var scope = NewDisposeScope();
        scores = scores[scores.isfinite().all(1)];
        if (Unlikely(scores, kind) is { } row)
        {
            var found = Values(scores[row]);
            throw new InvalidOperationException(
                $"{subject} holds neither probabilities nor plainly logits: all are in [0, 1], but one row holds {ScoreFaults.Shown(found)}. " +
                (ScoreFaults.LookRounded(found) ? ScoreFaults.RoundedRemedy : "Say what they are with scoreKind: Logits for scores before softmax, Margins for one score from 0 or from a decision value for each class."));
        }

        return ScoreKind.Auto;
    }

    /// <summary>Recognises the kind of scores: logits, or <see cref="ScoreKind.Auto"/> for probabilities; null if it is unclear.</summary>
    /// <param name="scores">N×K'.</param>
    public static ScoreKind? Decided(Tensor scores)
    {
        using var scope = NewDisposeScope();
        // A row that is NaN says nothing of the others, and is refused when it is read.
        scores = scores[scores.isfinite().all(1)];
        if (scores.numel() > 0 && (scores.min().item<float>() < 0 || scores.max().item<float>() > ScoreFaults.Above1))
            return ScoreKind.Logits;
        return Unlikely(scores, ScoreKind.Auto) is null ? ScoreKind.Auto : null;
    }

    /// <summary>Scores N×K' to logits N×K, in the current dispose scope.</summary>
    /// <param name="scores">32-bit floats.</param>
    /// <param name="row">What messages call a row of them, from 0.</param>
    /// <exception cref="InvalidOperationException">A score is NaN, infinite or not of the stated kind.</exception>
    public Tensor ToLogits(Tensor scores, Func<int, string> row)
    {
        using var scope = NewDisposeScope();
        CheckFinite(scores, row);
        var logits = described.Kind switch
        {
            ScoreKind.Logits => scores,
            ScoreKind.Margins => functional.logsigmoid(scores),
            _ => Logarithm(scores, row),
        };
        var ordered = described.Order.Apply(logits);
        return (ReferenceEquals(ordered, scores) ? scores.alias() : ordered).MoveToOuterDisposeScope();
    }

    private Tensor Logarithm(Tensor scores, Func<int, string> row)
    {
        if (Unlikely(scores, described.Kind) is { } wrong)
            throw ScoreFaults.NotProbabilities(described.Subject, described.Kind, row(wrong), Values(scores[wrong]), described.Hint);
        // A row that does not quite sum to 1 needs no scaling: softmax takes the common part of its logarithms away.
        return scores.ClampMin(ProbabilityFloor).log();
    }

    /// <summary>The first row that is no distribution over classes.</summary>
    private static int? Unlikely(Tensor scores, ScoreKind kind)
    {
        using var scope = NewDisposeScope();
        var outside = scores.ClampMin(0).ne(scores).any(1).logical_or(scores.IsAtMost(ScoreFaults.Above1).logical_not().any(1));
        var off = scores.to(float64).sum([1]).Add(-1).abs().IsAtMost(ScoreFaults.SumTolerance(kind)).logical_not();
        return First(outside.logical_or(off));
    }

    private void CheckFinite(Tensor scores, Func<int, string> row)
    {
        if (First(scores.isfinite().logical_not().any(1)) is { } wrong)
            throw ScoreFaults.NotFinite(described.Subject, row(wrong), Values(scores[wrong]));
    }

    private static int? First(Tensor wrong) => wrong.any().item<bool>() ? (int)wrong.to(int8).argmax().item<long>() : null;

    private static float[] Values(Tensor row) => row.cpu().data<float>().ToArray();
}

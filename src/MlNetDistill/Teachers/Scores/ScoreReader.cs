using System.Globalization;
using MlNetDistill.Networks;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Teachers;

/// <summary>Turns a teacher's scores into logits in the student's class order, and refuses what they cannot be.</summary>
/// <param name="subject">What messages say of them, for example <c>The teacher's column 'Score'</c>.</param>
/// <param name="kind">What they are; <see cref="ScoreKind.Auto"/> for probabilities that nobody said they are.</param>
/// <param name="order">Classes.</param>
/// <param name="hint">What a message about scores that are no probabilities says of the model, or null.</param>
internal sealed class ScoreReader(string subject, ScoreKind kind, ClassOrder order, string? hint = null)
{
    /// <summary>
    /// The floor for probabilities: float softmaxes and trees give exact zeros, whose logarithm no loss can use. It is far below what a
    /// float softmax still tells apart, because softening brings such differences back: at T = 4 a floor of 1e-7 cost a student a point of
    /// accuracy on letter-recognition (seen on its test rows).
    /// </summary>
    public const float ProbabilityFloor = 1e-30f;

    private const double SumTolerance = 1e-3;
    private const double Above1 = 1.0001;

    /// <summary>
    /// What the scores of a model from elsewhere are, by some rows of them: logits where some are outside [0, 1], else <see cref="ScoreKind.Auto"/>, as they are
    /// probabilities that nobody said they are.
    /// </summary>
    /// <param name="subject">What messages say of them.</param>
    /// <param name="kind">What the caller says.</param>
    /// <param name="scores">N×K'.</param>
    /// <exception cref="InvalidOperationException">Nobody says what they are, and they could be several things.</exception>
    public static ScoreKind Resolve(string subject, ScoreKind kind, Tensor scores)
    {
        if (kind != ScoreKind.Auto)
            return kind;
        using var scope = NewDisposeScope();
        // A row that is NaN says nothing of the others, and is refused when it is read.
        scores = scores[scores.isfinite().all(1)];
        if (scores.numel() > 0 && (scores.min().item<float>() < 0 || scores.max().item<float>() > Above1))
            return ScoreKind.Logits;
        if (Unlikely(scores) is { } row)
        {
            throw new InvalidOperationException(
                $"{subject} holds neither probabilities nor plainly logits: all are in [0, 1], but one row holds {Shown(scores[row])}. " +
                "Say what they are with scoreKind: Logits for scores before softmax, Margins for one score from 0 or from a decision value for each class.");
        }

        return ScoreKind.Auto;
    }

    /// <summary>Scores N×K' to logits N×K, in the current dispose scope.</summary>
    /// <param name="scores">32-bit floats.</param>
    /// <param name="row">What messages call a row of them, from 0.</param>
    /// <exception cref="InvalidOperationException">A score is NaN, infinite or not of the stated kind.</exception>
    public Tensor ToLogits(Tensor scores, Func<int, string> row)
    {
        using var scope = NewDisposeScope();
        CheckFinite(scores, row);
        var logits = kind switch
        {
            ScoreKind.Logits => scores,
            ScoreKind.Margins => functional.logsigmoid(scores),
            _ => Logarithm(scores, row),
        };
        var ordered = order.Apply(logits);
        return (ReferenceEquals(ordered, scores) ? scores.alias() : ordered).MoveToOuterDisposeScope();
    }

    private Tensor Logarithm(Tensor scores, Func<int, string> row)
    {
        if (Unlikely(scores) is { } wrong)
        {
            throw new InvalidOperationException(
                (kind == ScoreKind.Auto ? $"{subject} does not hold probabilities: " : $"{subject} was said to hold probabilities, but ") +
                $"{row(wrong)} holds {Shown(scores[wrong])}. {hint ?? "Give ScoreKind.Logits if these are scores before softmax; a model that gives neither must be calibrated first."}");
        }

        return scores.AtLeast(ProbabilityFloor).log();
    }

    /// <summary>The first row that is no distribution over classes.</summary>
    private static int? Unlikely(Tensor scores)
    {
        using var scope = NewDisposeScope();
        var outside = scores.AtLeast(0).ne(scores).any(1).logical_or(scores.IsAtMost(Above1).logical_not().any(1));
        var off = scores.to(float64).sum([1]).Plus(-1).abs().IsAtMost(SumTolerance).logical_not();
        return First(outside.logical_or(off));
    }

    private void CheckFinite(Tensor scores, Func<int, string> row)
    {
        if (First(scores.isfinite().logical_not().any(1)) is not { } wrong)
            return;
        var values = scores[wrong].cpu().data<float>().ToArray();
        var at = Array.FindIndex(values, v => !float.IsFinite(v));
        throw new InvalidOperationException(
            $"{subject} must hold finite scores; {row(wrong)} has {values[at].ToString(CultureInfo.InvariantCulture)} for its class {at}. " +
            "Usually a feature of that row is missing or NaN: replace it with mlContext.Transforms.ReplaceMissingValues, or leave the row out.");
    }

    private static int? First(Tensor wrong) => wrong.any().item<bool>() ? (int)wrong.to(int8).argmax().item<long>() : null;

    private static string Shown(Tensor scores)
    {
        var values = scores.cpu().data<float>().ToArray();
        return string.Join(", ", values.Take(5).Select(s => s.ToString("0.####", CultureInfo.InvariantCulture))) +
            $"{(values.Length > 5 ? ", …" : "")}, which sum to {values.Sum(v => (double)v).ToString("0.####", CultureInfo.InvariantCulture)}";
    }
}

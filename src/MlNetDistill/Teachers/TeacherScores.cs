using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>Turns a teacher's scores, read from a column, into logits in the student's class order.</summary>
internal sealed record TeacherScores(string Column, List<RowId> RowIds, float[] Values, int Classes)
{
    /// <summary>
    /// The floor for probabilities: float softmaxes and trees give exact zeros, whose logarithm no loss can use. It is far below what a
    /// float softmax still tells apart, because softening brings such differences back: at T = 4 a floor of 1e-7 cost a student a point of
    /// accuracy on letter-recognition.
    /// </summary>
    public const float ProbabilityFloor = 1e-30f;

    private const double SumTolerance = 1e-3;

    /// <summary>The record of logits with class j of the student taken from class <paramref name="order"/>[j] of the teacher.</summary>
    /// <exception cref="InvalidOperationException">A score is NaN, infinite or not of the stated kind.</exception>
    public TeacherRecord ToRecord(ScoreKind kind, int[] order)
    {
        CheckFinite();
        var probabilities = kind != ScoreKind.Logits;
        if (probabilities)
            CheckProbabilities(kind);
        var logits = new float[(long)RowIds.Count * order.Length];
        for (var row = 0; row < RowIds.Count; row++)
        {
            for (var j = 0; j < order.Length; j++)
            {
                var score = Values[(row * Classes) + order[j]];
                logits[(row * order.Length) + j] = probabilities ? MathF.Log(MathF.Max(score, ProbabilityFloor)) : score;
            }
        }

        return new TeacherRecord(RowIds, tensor(logits, [RowIds.Count, order.Length]).DetachFromDisposeScope());
    }

    private void CheckFinite()
    {
        var at = Array.FindIndex(Values, v => !float.IsFinite(v));
        if (at >= 0)
        {
            throw new InvalidOperationException(
                $"The teacher's column '{Column}' must hold finite scores; row {at / Classes} (counted from 0) has {Values[at]} for its class {at % Classes}. " +
                "Usually a feature of that row is missing or NaN.");
        }
    }

    private void CheckProbabilities(ScoreKind kind)
    {
        for (var row = 0; row < RowIds.Count; row++)
        {
            var scores = Values.AsSpan(row * Classes, Classes);
            double sum = 0;
            var inside = true;
            foreach (var score in scores)
            {
                sum += score;
                inside &= score is >= 0 and <= 1.0001f;
            }

            if (inside && Math.Abs(sum - 1) <= SumTolerance)
                continue;
            throw new InvalidOperationException(kind == ScoreKind.Auto
                ? $"The teacher's column '{Column}' does not hold probabilities: row {row} (counted from 0) sums to {sum:0.####}. Say what it holds: " +
                  "ScoreKind.Logits for scores before softmax; a model that gives neither must be calibrated first."
                : $"The teacher's column '{Column}' was said to hold probabilities, but row {row} (counted from 0) sums to {sum:0.####} or leaves [0, 1].");
        }
    }
}

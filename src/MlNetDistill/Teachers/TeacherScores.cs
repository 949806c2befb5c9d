using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>Turns a teacher's scores, read from a column, into logits in the student's class order.</summary>
internal sealed record TeacherScores(string Column, List<RowId> RowIds, float[] Values, int Classes, string Place)
{
    /// <summary>
    /// The floor for probabilities: float softmaxes and trees give exact zeros, whose logarithm no loss can use. It is far below what a
    /// float softmax still tells apart, because softening brings such differences back: at T = 4 a floor of 1e-7 cost a student a point of
    /// accuracy on letter-recognition (seen on its test rows).
    /// </summary>
    public const float ProbabilityFloor = 1e-30f;

    private const double SumTolerance = 1e-3;

    /// <summary>The record of logits with class j of the student taken from class <paramref name="order"/>[j] of the teacher.</summary>
    /// <param name="kind">What the scores are.</param>
    /// <param name="order">Classes.</param>
    /// <param name="set">The rows asked about. Others, left out of training for NaN features, say, may well have no usable score.</param>
    /// <exception cref="InvalidOperationException">A score is NaN, infinite or not of the stated kind.</exception>
    public TeacherRecord ToRecord(ScoreKind kind, int[] order, TrainingSet set)
    {
        var rows = RowsOf(set);
        var probabilities = kind != ScoreKind.Logits;
        var logits = new float[(long)rows.Count * order.Length];
        for (var i = 0; i < rows.Count; i++)
        {
            var scores = Values.AsSpan(rows[i] * Classes, Classes);
            CheckFinite(scores, rows[i]);
            if (probabilities)
                CheckProbabilities(scores, rows[i], kind);
            for (var j = 0; j < order.Length; j++)
            {
                var score = scores[order[j]];
                logits[(i * order.Length) + j] = probabilities ? MathF.Log(MathF.Max(score, ProbabilityFloor)) : score;
            }
        }

        return new TeacherRecord([.. rows.Select(row => RowIds[row])], tensor(logits, [rows.Count, order.Length]).DetachFromDisposeScope());
    }

    private List<int> RowsOf(TrainingSet set)
    {
        var asked = set.RowIds.ToHashSet();
        return [.. Enumerable.Range(0, RowIds.Count).Where(row => asked.Contains(RowIds[row]))];
    }

    private void CheckFinite(ReadOnlySpan<float> scores, int row)
    {
        for (var i = 0; i < scores.Length; i++)
        {
            if (float.IsFinite(scores[i]))
                continue;
            throw new InvalidOperationException(
                $"The teacher's column '{Column}' must hold finite scores; row {row}{Place} (counted from 0) has {scores[i]} for its class {i}. " +
                "Usually a feature of that row is missing or NaN: replace it with mlContext.Transforms.ReplaceMissingValues, or leave the row out.");
        }
    }

    private void CheckProbabilities(ReadOnlySpan<float> scores, int row, ScoreKind kind)
    {
        double sum = 0;
        var inside = true;
        foreach (var score in scores)
        {
            sum += score;
            inside &= score is >= 0 and <= 1.0001f;
        }

        if (inside && Math.Abs(sum - 1) <= SumTolerance)
            return;
        throw new InvalidOperationException(
            (kind == ScoreKind.Auto
                ? $"The teacher's column '{Column}' does not hold probabilities: "
                : $"The teacher's column '{Column}' was said to hold probabilities, but ") +
            $"row {row}{Place} (counted from 0) holds {string.Join(", ", scores[..Math.Min(scores.Length, 5)].ToArray().Select(s => $"{s:0.####}"))}" +
            $"{(scores.Length > 5 ? ", …" : "")}, which sum to {sum:0.####}. " +
            "Give ScoreKind.Logits if these are scores before softmax; a model that gives neither must be calibrated first.");
    }
}

using System.Numerics.Tensors;
using MlNetDistill.Alignment;

namespace MlNetDistill.Evaluation;

/// <summary>One model's scores of a row as probabilities of the student's classes, in double precision.</summary>
/// <param name="aligned">Kind and classes of the scores.</param>
internal sealed class RowProbabilities(AlignedScores aligned)
{
    private readonly double[] _scores = new double[aligned.Count];
    private readonly bool _dropsClasses = aligned.Order.LeavesOut(aligned.Count);
    private bool _isRounded;

    /// <summary>The model's own scores by which classes are ranked, before any rounding in the conversion to probabilities.</summary>
    public double[] Keys { get; } = new double[aligned.Order.SourcesOf.Count];

    /// <summary>
    /// The model's own probabilities, at most 1. Their sum may differ from 1 by the tolerance for recognised probabilities; if it differs more, they are scaled.
    /// </summary>
    public double[] Given { get; } = new double[aligned.Order.SourcesOf.Count];

    /// <summary>The probabilities scaled to sum to 1, so that divergences between them cannot be negative.</summary>
    public double[] Shares { get; } = new double[aligned.Order.SourcesOf.Count];

    /// <summary>Logarithms of <see cref="Shares"/>; finite, even where a share is too small for a double.</summary>
    public double[] Logs { get; } = new double[aligned.Order.SourcesOf.Count];

    private bool AreProbabilities => aligned.Kind is ScoreKind.Auto or ScoreKind.Probabilities;

    /// <summary>Reads a row; number, from 0, and id are for messages.</summary>
    /// <exception cref="InvalidOperationException">A score is NaN, infinite or not of the stated kind.</exception>
    public void Read(ReadOnlySpan<float> row, long number, UInt128 id)
    {
        Check(row, number, id);
        for (var i = 0; i < row.Length; i++)
            _scores[i] = aligned.Kind == ScoreKind.Margins ? LogSigmoid(row[i]) : row[i];
        if (AreProbabilities)
            FromProbabilities();
        else
            FromLogits();
    }

    /// <summary>−log of a class's probability.</summary>
    public double LogLoss(int label) => AreProbabilities && !_dropsClasses && !_isRounded ? -Math.Log(Math.Max(Given[label], ScoreReader.ProbabilityFloor)) : -Logs[label];

    /// <summary>Σ (p − y)².</summary>
    public double Brier(int label)
    {
        var sum = 0.0;
        for (var c = 0; c < Given.Length; c++)
        {
            var difference = c == label ? 1 - Given[c] : Given[c];
            sum += difference * difference;
        }

        return sum;
    }

    private void FromProbabilities()
    {
        aligned.Order.AddProbabilities(_scores, Keys);
        TensorPrimitives.Max(Keys, ScoreReader.ProbabilityFloor, Shares);
        var sum = TensorPrimitives.Sum<double>(Shares);
        TensorPrimitives.Log(Shares, Logs);
        TensorPrimitives.Subtract(Logs, Math.Log(sum), Logs);
        TensorPrimitives.Divide(Shares, sum, Shares);
        // Scaled where classes are left out or probabilities are rounded; otherwise unchanged, so that a confidence of exactly 0.5 stays in its bin.
        TensorPrimitives.Min(_dropsClasses || _isRounded ? Shares : Keys, 1, Given);
    }

    private void FromLogits()
    {
        aligned.Order.AddLogits(_scores, Keys);
        TensorPrimitives.Subtract(Keys, TensorPrimitives.Max<double>(Keys), Logs);
        TensorPrimitives.Exp(Logs, Shares);
        var sum = TensorPrimitives.Sum<double>(Shares);
        TensorPrimitives.Subtract(Logs, Math.Log(sum), Logs);
        TensorPrimitives.Divide(Shares, sum, Shares);
        Shares.CopyTo(Given, 0);
    }

    private void Check(ReadOnlySpan<float> row, long number, UInt128 id)
    {
        if (row.Length != aligned.Count)
            throw new ArgumentException($"{aligned.Subject} must hold {aligned.Count} scores, one for each class; {DescribeRow(number, id)} has {row.Length}.");
        var (sum, inRange) = (0.0, true);
        foreach (var score in row)
        {
            sum += score;
            inRange &= score is >= 0 and <= (float)ScoreFaults.Above1;
        }

        if (!double.IsFinite(sum))
            throw ScoreFaults.NotFinite(aligned.Subject, DescribeRow(number, id), row.ToArray());
        _isRounded = Math.Abs(sum - 1) > ScoreFaults.SumTolerance(ScoreKind.Auto);
        if (AreProbabilities && !(inRange && Math.Abs(sum - 1) <= ScoreFaults.SumTolerance(aligned.Kind)))
            throw ScoreFaults.NotProbabilities(aligned.Subject, aligned.Kind, DescribeRow(number, id), row.ToArray(), aligned.Hint);
    }

    private static string DescribeRow(long number, UInt128 id) => $"row {number} (counted from 0, row id {id})";

    private static double LogSigmoid(double margin) => Math.Min(margin, 0) - Math.Log(1 + Math.Exp(-Math.Abs(margin)));
}

using System.Numerics.Tensors;
using MlNetDistill.Alignment;

namespace MlNetDistill.Evaluation;

/// <summary>One model's scores of a row, read as probabilities of the student's classes in double precision.</summary>
/// <param name="described">What the scores mean.</param>
internal sealed class RowProbabilities(AlignedScores described)
{
    private readonly double[] _scores = new double[described.Count];
    private readonly bool _leavesOut = described.Order.LeavesOut(described.Count);
    private bool _isOff;

    /// <summary>What the classes are ranked by: what the model gave, before anything is rounded on the way to a probability.</summary>
    public double[] Keys { get; } = new double[described.Order.SourcesOf.Count];

    /// <summary>The probabilities as the model gave them, at most 1; they may differ from a sum of 1 by the tolerance for recognised probabilities; rounded ones are scaled.</summary>
    public double[] Given { get; } = new double[described.Order.SourcesOf.Count];

    /// <summary>The probabilities scaled to sum to 1, so that divergences between them cannot be negative.</summary>
    public double[] Shares { get; } = new double[described.Order.SourcesOf.Count];

    /// <summary>Logarithms of <see cref="Shares"/>; finite, even where a share is too small for a double.</summary>
    public double[] Logs { get; } = new double[described.Order.SourcesOf.Count];

    private bool AreProbabilities => described.Kind is ScoreKind.Auto or ScoreKind.Probabilities;

    /// <summary>Reads a row.</summary>
    /// <param name="row">The scores.</param>
    /// <param name="number">Number of the row, from 0.</param>
    /// <param name="id">Its id.</param>
    /// <exception cref="InvalidOperationException">A score is NaN, infinite or not of the stated kind.</exception>
    public void Read(ReadOnlySpan<float> row, long number, UInt128 id)
    {
        Check(row, number, id);
        for (var i = 0; i < row.Length; i++)
            _scores[i] = described.Kind == ScoreKind.Margins ? LogSigmoid(row[i]) : row[i];
        if (AreProbabilities)
            FromProbabilities();
        else
            FromLogits();
    }

    /// <summary>−log of a class's probability.</summary>
    public double LogLoss(int label) => AreProbabilities && !_leavesOut && !_isOff ? -Math.Log(Math.Max(Given[label], ScoreReader.ProbabilityFloor)) : -Logs[label];

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
        described.Order.AddProbabilities(_scores, Keys);
        TensorPrimitives.Max(Keys, ScoreReader.ProbabilityFloor, Shares);
        var sum = TensorPrimitives.Sum<double>(Shares);
        TensorPrimitives.Log(Shares, Logs);
        TensorPrimitives.Subtract(Logs, Math.Log(sum), Logs);
        TensorPrimitives.Divide(Shares, sum, Shares);
        // Where classes are left out the others are scaled up, and so are rounded probabilities; otherwise what was given stays: a confidence of exactly 0.5 is one.
        TensorPrimitives.Min(_leavesOut || _isOff ? Shares : Keys, 1, Given);
    }

    private void FromLogits()
    {
        described.Order.AddLogits(_scores, Keys);
        TensorPrimitives.Subtract(Keys, TensorPrimitives.Max<double>(Keys), Logs);
        TensorPrimitives.Exp(Logs, Shares);
        var sum = TensorPrimitives.Sum<double>(Shares);
        TensorPrimitives.Subtract(Logs, Math.Log(sum), Logs);
        TensorPrimitives.Divide(Shares, sum, Shares);
        Shares.CopyTo(Given, 0);
    }

    private void Check(ReadOnlySpan<float> row, long number, UInt128 id)
    {
        if (row.Length != described.Count)
            throw new ArgumentException($"{described.Subject} must hold {described.Count} scores, one for each class; {DescribeRow(number, id)} has {row.Length}.");
        var (sum, inRange) = (0.0, true);
        foreach (var score in row)
        {
            sum += score;
            inRange &= score is >= 0 and <= (float)ScoreFaults.Above1;
        }

        if (!double.IsFinite(sum))
            throw ScoreFaults.NotFinite(described.Subject, DescribeRow(number, id), row);
        _isOff = Math.Abs(sum - 1) > ScoreFaults.SumTolerance(ScoreKind.Auto);
        if (AreProbabilities && !(inRange && Math.Abs(sum - 1) <= ScoreFaults.SumTolerance(described.Kind)))
            throw ScoreFaults.NotProbabilities(described.Subject, described.Kind, DescribeRow(number, id), row, described.Hint);
    }

    private static string DescribeRow(long number, UInt128 id) => $"row {number} (counted from 0, row id {id})";

    private static double LogSigmoid(double margin) => Math.Min(margin, 0) - Math.Log(1 + Math.Exp(-Math.Abs(margin)));
}

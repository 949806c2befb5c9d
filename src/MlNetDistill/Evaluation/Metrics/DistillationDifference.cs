using static System.FormattableString;

namespace MlNetDistill.Evaluation;

/// <summary>
/// The figures of one student minus those of another on the same rows. The intervals are of the difference, computed replicate by replicate. Rows that are hard for
/// both students widen their own intervals but not this one, so two students can differ significantly although their own intervals overlap.
/// </summary>
public sealed record DistillationDifference
{
    /// <summary>The student's accuracy minus the other's; null where no row has a label.</summary>
    public required Estimate? Accuracy { get; init; }

    /// <summary>The student's log-loss minus the other's, in nats; null where no row has a label.</summary>
    public required Estimate? LogLoss { get; init; }

    /// <summary>The student's Brier score minus the other's; null where no row has a label.</summary>
    public required Estimate? Brier { get; init; }

    /// <summary>The student's expected calibration error minus the other's; null where no row has a label.</summary>
    public required Estimate? CalibrationError { get; init; }

    /// <summary>Difference of the agreements with the teacher: shares of rows with the same predicted class.</summary>
    public required Estimate Agreement { get; init; }

    /// <summary>The same over rows that the teacher predicts correctly; null where there are none.</summary>
    public required Estimate? AgreementWhereTeacherIsCorrect { get; init; }

    /// <summary>The same over rows that the teacher predicts wrongly; null where there are none.</summary>
    public required Estimate? AgreementWhereTeacherIsWrong { get; init; }

    /// <summary>Difference of the mean KL(teacher ‖ student), in nats.</summary>
    public required Estimate Divergence { get; init; }

    /// <summary>Difference of the mean KL(student ‖ teacher), in nats.</summary>
    public required Estimate ReverseDivergence { get; init; }

    /// <summary>Difference of the mean Jensen-Shannon divergences, in nats.</summary>
    public required Estimate JensenShannonDivergence { get; init; }

    /// <summary>A table of the differences, with their intervals if there are any.</summary>
    public override string ToString() => MetricsText.Format(this);

    /// <exception cref="ArgumentException">The two were not measured on the same rows in the same way.</exception>
    internal static DistillationDifference Between(DistillationMetrics metrics, DistillationMetrics other)
    {
        var (own, others) = CheckPaired(metrics, other);
        return new DistillationDifference
        {
            Accuracy = Share(Statistic.StudentCorrect, Statistic.Labelled),
            LogLoss = Share(Statistic.StudentLogLoss, Statistic.Labelled),
            Brier = Share(Statistic.StudentBrier, Statistic.Labelled),
            CalibrationError = own.EstimateDifference(others, Replicates.StudentCalibrationError),
            Agreement = Share(Statistic.Agree, Statistic.Rows)!.Value,
            AgreementWhereTeacherIsCorrect = Share(Statistic.BothRight, Statistic.TeacherCorrect),
            AgreementWhereTeacherIsWrong = own.EstimateDifference(others, Replicates.AgreementWhereTeacherIsWrong),
            Divergence = Share(Statistic.Divergence, Statistic.Rows)!.Value,
            ReverseDivergence = Share(Statistic.ReverseDivergence, Statistic.Rows)!.Value,
            JensenShannonDivergence = Share(Statistic.JensenShannon, Statistic.Rows)!.Value,
        };

        Estimate? Share(Statistic part, Statistic whole) => own.EstimateDifference(others, Replicates.Share(part, whole));
    }

    private static (Replicates Own, Replicates Others) CheckPaired(DistillationMetrics metrics, DistillationMetrics other)
    {
        if (metrics.Replicates is not { } own || other.Replicates is not { } others)
            throw NotPaired("one of the two was not created by EvaluateDistillation or a DistillationEvaluator in this process");
        if (metrics.Rows != other.Rows || (own.Seed == others.Seed && own.RowsHash != others.RowsHash))
            throw NotPaired($"here there are {metrics.Rows} rows, in the other {other.Rows}{(metrics.Rows == other.Rows ? ", with other ids" : "")}");
        if (metrics.LabelledRows != other.LabelledRows)
            throw NotPaired($"here {metrics.LabelledRows} rows have a label, in the other {other.LabelledRows}");
        // Sums in another order differ in their last digits.
        var (loss, otherLoss) = (metrics.Teacher?.LogLoss.Value ?? 0, other.Teacher?.LogLoss.Value ?? 0);
        if (!(Math.Abs(loss - otherLoss) <= 1e-9 * Math.Max(1, loss)))
            throw NotPaired(Invariant($"here the teacher's log-loss is {loss:R}, in the other {otherLoss:R}: the teacher or the labels differ"));
        if (own.Seed != others.Seed || own.Sums.Columns != others.Sums.Columns)
        {
            throw NotPaired(
                Invariant($"here the bootstrap has {own.Sums.Columns - 1} replicates of seed {own.Seed}, in the other {others.Sums.Columns - 1} of seed {others.Seed}"));
        }

        if ((own.Sums.Bins, own.ConfidenceLevel) != (others.Sums.Bins, others.ConfidenceLevel))
        {
            throw NotPaired(Invariant(
                $"here there are {own.Sums.Bins} bins and intervals at {own.ConfidenceLevel}, in the other {others.Sums.Bins} and {others.ConfidenceLevel}"));
        }

        return (own, others);
    }

    private static ArgumentException NotPaired(string why) => new(
        $"Both students must be evaluated on the same rows to compute differences row by row: {why}. Evaluate both on the same data view, with the same options.", "other");
}

using static System.FormattableString;

namespace MlNetDistill.Evaluation;

/// <summary>
/// What one student measures less what another does on the same rows. The intervals are of the difference, replicate by replicate: rows that are hard for both
/// widen each student's interval and not this one, so two students can differ significantly although their own intervals overlap.
/// </summary>
public sealed record DistillationDifference
{
    /// <summary>The student's accuracy less the other's; null where no row has a label.</summary>
    public required Estimate? Accuracy { get; init; }

    /// <summary>The student's log-loss less the other's, in nats; null where no row has a label.</summary>
    public required Estimate? LogLoss { get; init; }

    /// <summary>The student's Brier score less the other's; null where no row has a label.</summary>
    public required Estimate? Brier { get; init; }

    /// <summary>The student's expected calibration error less the other's; null where no row has a label.</summary>
    public required Estimate? CalibrationError { get; init; }

    /// <summary>Difference of the shares of rows for which student and teacher name the same class.</summary>
    public required Estimate Agreement { get; init; }

    /// <summary>The same over rows that the teacher labels rightly; null where there are none.</summary>
    public required Estimate? AgreementWhereTeacherIsCorrect { get; init; }

    /// <summary>The same over rows that the teacher labels wrongly; null where there are none.</summary>
    public required Estimate? AgreementWhereTeacherIsWrong { get; init; }

    /// <summary>Difference of the mean KL(teacher ‖ student), in nats.</summary>
    public required Estimate Divergence { get; init; }

    /// <summary>Difference of the mean KL(student ‖ teacher), in nats.</summary>
    public required Estimate ReverseDivergence { get; init; }

    /// <summary>Difference of the mean Jensen-Shannon divergences, in nats.</summary>
    public required Estimate JensenShannonDivergence { get; init; }

    /// <summary>A table of the differences, with their intervals where there are some.</summary>
    public override string ToString() => MetricsText.Format(this);

    /// <exception cref="ArgumentException">The two were not measured on the same rows in the same way.</exception>
    internal static DistillationDifference Between(DistillationMetrics metrics, DistillationMetrics other)
    {
        var (own, others) = Paired(metrics, other);
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

    private static (Replicates Own, Replicates Others) Paired(DistillationMetrics metrics, DistillationMetrics other)
    {
        if (metrics.Replicates is not { } own || other.Replicates is not { } others)
            throw Unpaired("one of the two was not made by EvaluateDistillation or a DistillationEvaluator in this process");
        if (metrics.Rows != other.Rows || (own.Seed == others.Seed && own.RowsHash != others.RowsHash))
            throw Unpaired($"here there are {metrics.Rows} rows, in the other {other.Rows}{(metrics.Rows == other.Rows ? ", with other ids" : "")}");
        if (metrics.LabelledRows != other.LabelledRows)
            throw Unpaired($"here {metrics.LabelledRows} rows have a label, in the other {other.LabelledRows}");
        // The same sums in another order differ in their last digits.
        var (loss, otherLoss) = (metrics.Teacher?.LogLoss.Value ?? 0, other.Teacher?.LogLoss.Value ?? 0);
        if (!(Math.Abs(loss - otherLoss) <= 1e-9 * Math.Max(1, loss)))
            throw Unpaired(Invariant($"here the teacher's log-loss is {loss:R}, in the other {otherLoss:R}: the teacher or the labels differ"));
        if (own.Seed != others.Seed || own.Sums.Columns != others.Sums.Columns)
        {
            throw Unpaired(
                Invariant($"here the bootstrap has {own.Sums.Columns - 1} replicates of seed {own.Seed}, in the other {others.Sums.Columns - 1} of seed {others.Seed}"));
        }

        if ((own.Sums.Bins, own.ConfidenceLevel) != (others.Sums.Bins, others.ConfidenceLevel))
        {
            throw Unpaired(Invariant(
                $"here there are {own.Sums.Bins} bins and intervals at {own.ConfidenceLevel}, in the other {others.Sums.Bins} and {others.ConfidenceLevel}"));
        }

        return (own, others);
    }

    private static ArgumentException Unpaired(string why) => new(
        $"Only figures of the same rows can be compared row by row: {why}. Evaluate both students on the same data view, with the same options.", "other");
}

using System.Globalization;
using static System.FormattableString;

namespace MlNetDistill.Evaluation;

/// <summary>Compares measurements with each criterion that is set.</summary>
internal sealed class AcceptanceJudge(AcceptanceCriteria criteria, DistillationMetrics metrics, ModelCost? cost, TrainingOverlap? overlap)
{
    public IEnumerable<AcceptanceCheck> Checks()
    {
        AcceptanceCheck?[] all =
        [
            AtLeast(
                // Both models are correct on much the same rows, so the share has an interval of its own.
                nameof(criteria.MinimumAccuracyRetention), criteria.MinimumAccuracyRetention, name => Lower(Labelled(metrics.AccuracyRetention, name)),
                $"of the teacher's accuracy ({Figures.Percent(metrics.Teacher?.Accuracy.Value ?? 0)}) is kept{Interval}"),
            AtLeast(
                nameof(criteria.MinimumAccuracy), criteria.MinimumAccuracy, name => Lower(Labelled(metrics.Student?.Accuracy, name)),
                $"of the rows have a correct prediction{Interval}"),
            AtLeast(
                nameof(criteria.MinimumAgreement), criteria.MinimumAgreement, _ => Lower(metrics.Agreement), $"of the rows have the teacher's prediction{Interval}"),
            AtMost(
                nameof(criteria.MaximumDivergence), criteria.MaximumDivergence, _ => Upper(metrics.Divergence), nats => Invariant($"{nats:0.0000} nats"),
                $"is the mean KL(teacher ‖ student){Interval}"),
            ClassDrop(),
            AtMost(
                nameof(criteria.MaximumCalibrationError), criteria.MaximumCalibrationError, name => Upper(Labelled(metrics.Student?.CalibrationError, name)),
                Figures.Points, $"is the expected calibration error{Interval}"),
            AtMost(
                nameof(criteria.MaximumLatency), criteria.MaximumLatency?.TotalMicroseconds, name => Cost(name).SingleRow.Median, Microseconds,
                "is the median time of one row through a PredictionEngine"),
            AtMost(
                nameof(criteria.MaximumLatencyP95), criteria.MaximumLatencyP95?.TotalMicroseconds, name => Cost(name).SingleRow.P95, Microseconds,
                "is the 95th percentile of the time of one row through a PredictionEngine"),
            AtMost(
                nameof(criteria.MaximumZipBytes), criteria.MaximumZipBytes, name => Cost(name).ZipBytes,
                bytes => bytes.ToString("N0", CultureInfo.InvariantCulture) + " bytes", "is the size of the saved model"),
            criteria.RejectCollapsed ? CollapsedStudent.Check(metrics) : null,
            Overlap(),
        ];
        return all.OfType<AcceptanceCheck>();
    }

    private AcceptanceCheck? ClassDrop()
    {
        if (criteria.MaximumClassDrop is not { } limit)
            return null;
        Labelled(metrics.Student?.Accuracy, nameof(criteria.MaximumClassDrop));
        var worst = metrics.PerClass.Where(c => c.Rows >= criteria.MinimumClassRows).MinBy(c => c.AccuracyChange) ?? throw new InvalidOperationException(
            $"MaximumClassDrop needs a class with at least MinimumClassRows = {criteria.MinimumClassRows} labelled rows, " +
            $"and the largest has {metrics.PerClass.Max(c => c.Rows)}. Test on more rows, or lower MinimumClassRows.");
        return AtMost(
            nameof(criteria.MaximumClassDrop), limit, _ => Math.Max(0, -worst.AccuracyChange!.Value), Figures.Points,
            $"is the largest drop of any class ('{worst.Class}', {worst.Rows} rows)");
    }

    private AcceptanceCheck? Overlap() => overlap is null || overlap.Excess <= criteria.MaximumTrainingOverlap ? null : new(
        nameof(criteria.MaximumTrainingOverlap), false, criteria.MaximumTrainingOverlap, overlap.Excess,
        $"{nameof(criteria.MaximumTrainingOverlap)}: {overlap} At most {Figures.Points(criteria.MaximumTrainingOverlap)} more are allowed. Test on rows that no model was trained on.");

    private string Interval => criteria.JudgeByInterval ? ", at the worse end of the interval" : "";

    private double Lower(Estimate estimate) => criteria.JudgeByInterval ? EndOrThrow(estimate.Lower) : estimate.Value;

    private double Upper(Estimate estimate) => criteria.JudgeByInterval ? EndOrThrow(estimate.Upper) : estimate.Value;

    private static double EndOrThrow(double? end) => end
        ?? throw new InvalidOperationException("JudgeByInterval needs metrics with confidence intervals; evaluate with BootstrapReplicates of at least 2.");

    private static Estimate Labelled(Estimate? figure, string criterion) => figure ?? throw new InvalidOperationException(
        $"{criterion} needs rows with labels, and the student was evaluated without any. Give the label column to EvaluateDistillation; if there are no labels, " +
        "use MinimumAgreement or MaximumDivergence instead.");

    private ModelCost Cost(string criterion) => cost ?? throw new InvalidOperationException(
        $"{criterion} needs the student's cost. Measure it with mlContext.Model.MeasureCost(...), and give it to Judge.");

    private static AcceptanceCheck? AtLeast(string name, double? limit, Func<string, double> measure, string what)
    {
        if (limit is not { } least)
            return null;
        var found = measure(name);
        return new(name, found >= least, least, found, $"{name}: {Figures.Percent(found)} {what}; at least {Figures.Percent(least)} is required.");
    }

    private static AcceptanceCheck? AtMost(string name, double? limit, Func<string, double> measure, Func<double, string> format, string what)
    {
        if (limit is not { } most)
            return null;
        var found = measure(name);
        return new(name, found <= most, most, found, $"{name}: {format(found)} {what}; at most {format(most)} is allowed.");
    }

    private static string Microseconds(double time) => Invariant($"{time:0.0} µs");
}

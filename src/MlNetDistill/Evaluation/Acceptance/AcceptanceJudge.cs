using System.Globalization;
using static System.FormattableString;

namespace MlNetDistill.Evaluation;

/// <summary>Holds what was measured against each criterion that is set.</summary>
internal sealed class AcceptanceJudge(AcceptanceCriteria criteria, DistillationMetrics metrics, ModelCost? cost, TrainingOverlap? overlap)
{
    public IEnumerable<AcceptanceCheck> Checks()
    {
        AcceptanceCheck?[] all =
            [AccuracyRetention(), Accuracy(), Agreement(), Divergence(), ClassDrop(), CalibrationError(), MedianLatency(), TailLatency(), ZipBytes(),
             criteria.RejectCollapsed ? CollapsedStudent.Check(metrics) : null, Overlap()];
        return all.OfType<AcceptanceCheck>();
    }

    private AcceptanceCheck? AccuracyRetention()
    {
        if (criteria.MinimumAccuracyRetention is not { } least)
            return null;
        var teacher = Labelled(metrics.Teacher, nameof(criteria.MinimumAccuracyRetention)).Accuracy.Value;
        // Both are right on much the same rows, so the share has an interval of its own.
        var kept = Worst(metrics.AccuracyRetention!.Value, lower: true);
        return AtLeast(nameof(criteria.MinimumAccuracyRetention), least, kept, Percent, $"of the teacher's accuracy ({Percent(teacher)}) is kept{Interval}");
    }

    private AcceptanceCheck? Accuracy()
    {
        if (criteria.MinimumAccuracy is not { } least)
            return null;
        var accuracy = Worst(Labelled(metrics.Student, nameof(criteria.MinimumAccuracy)).Accuracy, lower: true);
        return AtLeast(nameof(criteria.MinimumAccuracy), least, accuracy, Percent, $"of the rows have a correct prediction{Interval}");
    }

    private AcceptanceCheck? Agreement()
    {
        if (criteria.MinimumAgreement is not { } least)
            return null;
        var agreement = Worst(metrics.Agreement, lower: true);
        return AtLeast(nameof(criteria.MinimumAgreement), least, agreement, Percent, $"of the rows have the teacher's prediction{Interval}");
    }

    private AcceptanceCheck? Divergence() => criteria.MaximumDivergence is { } most
        ? AtMost(nameof(criteria.MaximumDivergence), most, Worst(metrics.Divergence, lower: false), Nats, $"is the mean KL(teacher ‖ student){Interval}")
        : null;

    private AcceptanceCheck? ClassDrop()
    {
        if (criteria.MaximumClassDrop is not { } most)
            return null;
        Labelled(metrics.Student, nameof(criteria.MaximumClassDrop));
        var worst = metrics.PerClass.Where(c => c.Rows >= criteria.MinimumClassRows).MinBy(c => c.AccuracyChange) ?? throw new InvalidOperationException(
            $"MaximumClassDrop needs a class with at least MinimumClassRows = {criteria.MinimumClassRows} labelled rows, " +
            $"and the largest has {metrics.PerClass.Max(c => c.Rows)}. Test on more rows, or lower MinimumClassRows.");
        var drop = Math.Max(0, -worst.AccuracyChange!.Value);
        return AtMost(nameof(criteria.MaximumClassDrop), most, drop, Points, $"is the largest drop of any class ('{worst.Class}', {worst.Rows} rows)");
    }

    private AcceptanceCheck? CalibrationError()
    {
        if (criteria.MaximumCalibrationError is not { } most)
            return null;
        var error = Worst(Labelled(metrics.Student, nameof(criteria.MaximumCalibrationError)).CalibrationError, lower: false);
        return AtMost(nameof(criteria.MaximumCalibrationError), most, error, Points, $"is the expected calibration error{Interval}");
    }

    private AcceptanceCheck? MedianLatency() => criteria.MaximumLatency is { TotalMicroseconds: var most }
        ? AtMost(
            nameof(criteria.MaximumLatency), most, Cost(nameof(criteria.MaximumLatency)).SingleRow.Median, Microseconds, "is the median time of one row through a PredictionEngine")
        : null;

    private AcceptanceCheck? TailLatency() => criteria.MaximumLatencyP95 is { TotalMicroseconds: var most }
        ? AtMost(
            nameof(criteria.MaximumLatencyP95), most, Cost(nameof(criteria.MaximumLatencyP95)).SingleRow.P95, Microseconds,
            "is the 95th percentile of the time of one row through a PredictionEngine")
        : null;

    private AcceptanceCheck? ZipBytes() => criteria.MaximumZipBytes is { } most
        ? AtMost(nameof(criteria.MaximumZipBytes), most, Cost(nameof(criteria.MaximumZipBytes)).ZipBytes, Bytes, "is the size of the saved model")
        : null;

    private AcceptanceCheck? Overlap() => overlap is null || overlap.Excess <= criteria.MaximumTrainingOverlap ? null : new(
        nameof(criteria.MaximumTrainingOverlap), false, criteria.MaximumTrainingOverlap, overlap.Excess,
        $"{nameof(criteria.MaximumTrainingOverlap)}: {overlap} At most {Points(criteria.MaximumTrainingOverlap)} more are allowed. Test on rows that no model was trained on.");

    private string Interval => criteria.JudgeByInterval ? ", at the worse end of the interval" : "";

    private double Worst(Estimate estimate, bool lower) => !criteria.JudgeByInterval ? estimate.Value : (lower ? estimate.Lower : estimate.Upper)
        ?? throw new InvalidOperationException("JudgeByInterval needs metrics with confidence intervals; evaluate with BootstrapReplicates of at least 2.");

    private static ModelQuality Labelled(ModelQuality? quality, string criterion) => quality ?? throw new InvalidOperationException(
        $"{criterion} needs rows with labels, and the student was evaluated without any. Give the label column to EvaluateDistillation; where there are no labels, " +
        "ask for MinimumAgreement or MaximumDivergence instead.");

    private ModelCost Cost(string criterion) => cost ?? throw new InvalidOperationException(
        $"{criterion} needs to know what the student costs. Measure it with mlContext.Model.MeasureCost(...), and give it to Judge.");

    private static AcceptanceCheck AtLeast(string name, double least, double found, Func<double, string> format, string what) =>
        new(name, found >= least, least, found, $"{name}: {format(found)} {what}; at least {format(least)} is required.");

    private static AcceptanceCheck AtMost(string name, double most, double found, Func<double, string> format, string what) =>
        new(name, found <= most, most, found, $"{name}: {format(found)} {what}; at most {format(most)} is allowed.");

    private static string Percent(double share) => Invariant($"{100 * share:0.00} %");

    private static string Points(double share) => Invariant($"{100 * share:0.00} points");

    private static string Nats(double nats) => Invariant($"{nats:0.0000} nats");

    private static string Microseconds(double time) => Invariant($"{time:0.0} µs");

    private static string Bytes(double bytes) => bytes.ToString("N0", CultureInfo.InvariantCulture) + " bytes";
}

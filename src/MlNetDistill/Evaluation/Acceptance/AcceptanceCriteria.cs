using MlNetDistill.Core;
using MlNetDistill.Reporting;

namespace MlNetDistill.Evaluation;

/// <summary>What a student must achieve to be released. Criteria that are null are not checked.</summary>
/// <example>
/// <code>
/// var accepted = new AcceptanceCriteria { MinimumAccuracyRetention = 0.98, MinimumAgreement = 0.95 }.Judge(metrics);
/// Console.WriteLine(accepted);
/// return accepted.ExitCode;
/// </code>
/// </example>
public sealed record AcceptanceCriteria
{
    /// <summary>Least accuracy of the student as a share of its teacher's, above 0.</summary>
    public double? MinimumAccuracyRetention { get; init; }

    /// <summary>Least accuracy of the student, in [0, 1].</summary>
    public double? MinimumAccuracy { get; init; }

    /// <summary>Least share of the rows for which teacher and student predict the same class, in [0, 1].</summary>
    public double? MinimumAgreement { get; init; }

    /// <summary>Largest mean KL(teacher ‖ student) in nats, at least 0.</summary>
    public double? MaximumDivergence { get; init; }

    /// <summary>Largest loss of accuracy against the teacher in any class, in [0, 1].</summary>
    public double? MaximumClassDrop { get; init; }

    /// <summary><see cref="MaximumClassDrop"/> ignores classes with fewer rows; at least 1. In a class of three rows, one row is a third of the accuracy.</summary>
    public int MinimumClassRows { get; init; } = 20;

    /// <summary>Largest expected calibration error of the student, in [0, 1].</summary>
    public double? MaximumCalibrationError { get; init; }

    /// <summary>Largest median time of a row through a <c>PredictionEngine</c>.</summary>
    public TimeSpan? MaximumLatency { get; init; }

    /// <summary>Largest 95th percentile of the time of a row through a <c>PredictionEngine</c>.</summary>
    public TimeSpan? MaximumLatencyP95 { get; init; }

    /// <summary>Largest size of the saved model in bytes.</summary>
    public long? MaximumZipBytes { get; init; }

    /// <summary>
    /// Whether to reject a student that has learned nothing, whatever the other criteria. Its predictions are no better than chance: accuracy is no better than
    /// always predicting the most frequent class, mean accuracy over classes no better than 1/K, and the same for agreement with the teacher. Or its log-loss is
    /// above its teacher's and above ln K, the log-loss of giving all K classes the same probability. The result has this check only if the student fails it.
    /// </summary>
    public bool RejectCollapsed { get; init; } = true;

    /// <summary>
    /// Largest share of the test rows that may also be training rows, beyond what duplicates among the training rows explain, in [0, 1]; 1 to allow any. The result
    /// has this check only if the overlap is known, which <see cref="DistillationReport"/> measures, and too large.
    /// </summary>
    public double MaximumTrainingOverlap { get; init; } = 0.05;

    /// <summary>
    /// Whether the worse end of a figure's confidence interval must pass, and not only the figure: then a student cannot pass by luck on a small test set. Needs
    /// metrics with intervals; costs and classes have none.
    /// </summary>
    public bool JudgeByInterval { get; init; }

    /// <summary>The criteria that are set, in a line where they fit in one.</summary>
    public override string ToString() => SettingText.Describe(this, includeNull: false);

    /// <summary>Checks a student against the criteria.</summary>
    /// <param name="metrics">The student's evaluation.</param>
    /// <param name="cost">The student's cost; needed if a criterion is about cost.</param>
    /// <param name="overlap">How many of the evaluated rows are training rows; null if unknown.</param>
    /// <exception cref="ArgumentOutOfRangeException">A criterion is out of its range, or none is set; the message names every fault.</exception>
    /// <exception cref="InvalidOperationException">A criterion needs a measurement that is missing.</exception>
    public AcceptanceResult Judge(DistillationMetrics metrics, ModelCost? cost = null, TrainingOverlap? overlap = null)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        Check();
        return new AcceptanceResult([.. new AcceptanceJudge(this, metrics, cost, overlap).Checks()]);
    }

    internal void Check() => Faults.ThrowIfAny(Validate(), "criteria");

    private IEnumerable<string> Validate() =>
    [
        .. Faults.Unless(
            new object?[]
            {
                MinimumAccuracyRetention, MinimumAccuracy, MinimumAgreement, MaximumDivergence, MaximumClassDrop, MaximumCalibrationError,
                MaximumLatency, MaximumLatencyP95, MaximumZipBytes,
            }.Any(criterion => criterion is not null),
            $"AcceptanceCriteria must set at least one criterion; without one, every student would pass."),
        .. Faults.Above0(nameof(MinimumAccuracyRetention), MinimumAccuracyRetention),
        .. Faults.Share(nameof(MinimumAccuracy), MinimumAccuracy),
        .. Faults.Share(nameof(MinimumAgreement), MinimumAgreement),
        .. Faults.Share(nameof(MaximumClassDrop), MaximumClassDrop),
        .. Faults.Share(nameof(MaximumCalibrationError), MaximumCalibrationError),
        .. Faults.Share(nameof(MaximumTrainingOverlap), MaximumTrainingOverlap),
        .. Faults.Unless(MaximumDivergence is null or >= 0, $"MaximumDivergence must be at least 0; was {MaximumDivergence}."),
        .. Faults.AtLeast(1, nameof(MinimumClassRows), MinimumClassRows),
        .. Faults.Above0(nameof(MaximumLatency), MaximumLatency),
        .. Faults.Above0(nameof(MaximumLatencyP95), MaximumLatencyP95),
        .. Faults.AtLeast(1, nameof(MaximumZipBytes), MaximumZipBytes),
    ];
}

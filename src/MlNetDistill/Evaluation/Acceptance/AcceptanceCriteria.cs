using MlNetDistill.Core;
using MlNetDistill.Reporting;

namespace MlNetDistill.Evaluation;

/// <summary>What a student must be to be released. Criteria that are null are not looked at.</summary>
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

    /// <summary>Least share of the rows for which teacher and student name the same class, in [0, 1].</summary>
    public double? MinimumAgreement { get; init; }

    /// <summary>Largest mean KL(teacher ‖ student) in nats, at least 0.</summary>
    public double? MaximumDivergence { get; init; }

    /// <summary>Most accuracy that the student may have less than its teacher in any class, in [0, 1].</summary>
    public double? MaximumClassDrop { get; init; }

    /// <summary>Classes with fewer rows are not looked at by <see cref="MaximumClassDrop"/>, at least 1: one row of three is a drop of a third.</summary>
    public int MinimumClassRows { get; init; } = 20;

    /// <summary>Largest expected calibration error of the student, in [0, 1].</summary>
    public double? MaximumCalibrationError { get; init; }

    /// <summary>Largest median time of a row through a <c>PredictionEngine</c>.</summary>
    public TimeSpan? MaximumLatency { get; init; }

    /// <summary>Time of a row through a <c>PredictionEngine</c> that 95 % must stay within.</summary>
    public TimeSpan? MaximumLatencyP95 { get; init; }

    /// <summary>Most bytes of the saved model.</summary>
    public long? MaximumZipBytes { get; init; }

    /// <summary>
    /// Whether a student is refused that has learnt nothing, whatever the criteria: one that names one class, guesses (accuracy no better than always naming the
    /// most frequent class, mean accuracy over classes no better than 1/K, and the agreement with its teacher likewise), or whose log-loss is above its teacher's
    /// and ln K, that of finding all K classes equally probable. It is a check of the result only where the student fails it.
    /// </summary>
    public bool RejectCollapsed { get; init; } = true;

    /// <summary>
    /// Largest share of the test rows that may be among the rows trained on, beyond what duplicates among the training rows let one expect, in [0, 1]; 1 for any.
    /// It is a check of the result only where it is exceeded, and only where the overlap is known: <see cref="DistillationReport"/> measures it.
    /// </summary>
    public double MaximumTrainingOverlap { get; init; } = 0.05;

    /// <summary>
    /// Whether the less favourable end of a figure's confidence interval must pass, and not the figure alone: then a small test set does not let a student
    /// through by luck. Needs metrics with intervals; costs and classes have none.
    /// </summary>
    public bool JudgeByInterval { get; init; }

    /// <summary>The criteria that are set, in a line where they fit in one.</summary>
    public override string ToString() => SettingText.Describe(this, includeNull: false);

    /// <summary>Holds a student against the criteria.</summary>
    /// <param name="metrics">How the student does its teacher's job.</param>
    /// <param name="cost">What the student costs; needed where a criterion is about cost.</param>
    /// <param name="overlap">How many rows of the metrics were trained on; null where that is not known.</param>
    /// <exception cref="ArgumentOutOfRangeException">A criterion is out of its range, or there is none; the message names every fault.</exception>
    /// <exception cref="InvalidOperationException">Something is not known that a criterion asks for.</exception>
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
            $"AcceptanceCriteria must set at least one criterion: without a criterion every student would pass."),
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

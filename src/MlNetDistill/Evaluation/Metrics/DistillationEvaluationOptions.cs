using MlNetDistill.Alignment;
using MlNetDistill.Core;

namespace MlNetDistill.Evaluation;

/// <summary>How a student is compared with its teacher.</summary>
public sealed record DistillationEvaluationOptions
{
    private const int MostBins = 100_000;
    private const int MostReplicates = 1_000_000;

    /// <summary>Bins of the reliability diagrams and of the expected calibration error, at least 1.</summary>
    public int ReliabilityBins { get; init; } = 15;

    /// <summary>The k for which the overlap of the k most probable classes is measured, each at least 1; those not less than the number of classes are left
    /// out.</summary>
    public IReadOnlyList<int> TopK { get; init; } = [2, 3, 5];

    /// <summary>Replicates of the bootstrap, at least 2, or 0 for no intervals.</summary>
    public int BootstrapReplicates { get; init; } = 200;

    /// <summary>Share of the replicates that an interval holds, in (0, 1).</summary>
    public double ConfidenceLevel { get; init; } = 0.95;

    /// <summary>Seed of the bootstrap. A row's weights depend on it and on the row's id alone, so neither order nor division of the rows matters.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Most classes in <see cref="DistillationMetrics.WorstRegressions"/>, at least 0.</summary>
    public int WorstRegressions { get; init; } = 5;

    /// <summary>What the teacher's scores are. <see cref="ScoreKind.Auto"/>: probabilities, else an error; but a naive Bayes model of ML.NET, given as a
    /// model, gives logits.</summary>
    public ScoreKind TeacherScoreKind { get; init; } = ScoreKind.Auto;

    /// <summary>What the student's scores are. <see cref="ScoreKind.Auto"/>: probabilities, else an error.</summary>
    public ScoreKind StudentScoreKind { get; init; } = ScoreKind.Auto;

    /// <summary>The class of each of the teacher's scores, where its column does not say; null where it does, or where the student's does not either.</summary>
    public IReadOnlyList<string>? TeacherClassNames { get; init; }

    /// <summary>How the teacher's classes become the student's, where they differ.</summary>
    public ClassMap? ClassMap { get; init; }

    /// <summary>Its settings, in a line where they fit in one.</summary>
    public override string ToString() => SettingText.Describe(this);

    /// <exception cref="ArgumentOutOfRangeException">Settings are out of their ranges; the message names every one.</exception>
    internal void Check() => Faults.ThrowIfAny(Validate(), "options");

    /// <summary>The teacher's scores in a column.</summary>
    internal ScoreSpec TeacherScores(string column) => new(TeacherScoreKind, TeacherClassNames, ClassMap)
    {
        Column = column,
        Options = ("teacherScoreColumnName", nameof(TeacherScoreKind), nameof(TeacherClassNames)),
        Hint = HintFor(nameof(TeacherScoreKind)),
    };

    /// <summary>The student's scores in a column.</summary>
    internal ScoreSpec StudentScores(string column) => new(StudentScoreKind)
    {
        Column = column,
        IsTeacher = false,
        Options = ("scoreColumnName", nameof(StudentScoreKind), ""),
        Hint = HintFor(nameof(StudentScoreKind)),
    };

    private static string HintFor(string option) =>
        $"Set {option} to Logits if these are scores before softmax, to Margins if they are decision values; a model that gives neither must be calibrated first.";

    private IEnumerable<string> Validate() =>
    [
        // There are some twenty sums for each replicate, and two for each of its bins.
        .. Faults.Unless(ReliabilityBins <= MostBins, $"ReliabilityBins must be at most {MostBins}; was {ReliabilityBins}. 10 to 20 are usual."),
        .. Faults.Unless(BootstrapReplicates <= MostReplicates, $"BootstrapReplicates must be at most {MostReplicates}; was {BootstrapReplicates}. 200 to 10000 are usual."),
        .. Faults.AtLeast(1, nameof(ReliabilityBins), ReliabilityBins),
        .. Faults.Unless(TopK?.All(k => k >= 1) == true, $"TopK must hold numbers of at least 1; was {(TopK is null ? "null" : NumberText.Join(TopK))}."),
        .. Faults.Unless(BootstrapReplicates is not (< 0 or 1), $"BootstrapReplicates must be at least 2, or 0 for no intervals; was {BootstrapReplicates}."),
        .. Faults.Unless(ConfidenceLevel is > 0 and < 1, $"ConfidenceLevel must be between 0 and 1; was {ConfidenceLevel}."),
        .. Faults.Unless(
            !(BootstrapReplicates >= 2 && ConfidenceLevel is > 0 and < 1) || BootstrapReplicates * (1 - ConfidenceLevel) / 2 >= 1 - 1e-9,
            $"An interval at ConfidenceLevel {ConfidenceLevel} has its ends beyond all of {BootstrapReplicates} replicates; BootstrapReplicates must be at least {Math.Ceiling(2 / (1 - ConfidenceLevel))}."),
        .. Faults.AtLeast(0, nameof(WorstRegressions), WorstRegressions),
        .. TeacherScores("").Validate(),
        .. Faults.Defined(nameof(StudentScoreKind), StudentScoreKind),
    ];
}

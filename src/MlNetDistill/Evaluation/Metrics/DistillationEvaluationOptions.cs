using MlNetDistill.Alignment;
using MlNetDistill.Core;

namespace MlNetDistill.Evaluation;

/// <summary>Settings of the comparison of a student with its teacher.</summary>
public sealed record DistillationEvaluationOptions
{
    private const int MaximumBins = 100_000;
    private const int MaximumReplicates = 1_000_000;

    /// <summary>Bins of the reliability diagrams and of the expected calibration error, at least 1.</summary>
    public int ReliabilityBins { get; init; } = 15;

    /// <summary>The k for which the overlap of the k most probable classes is measured, each at least 1; those from the number of classes on are left out.</summary>
    public IReadOnlyList<int> TopK { get; init; } = [2, 3, 5];

    /// <summary>Replicates of the bootstrap, at least 2, or 0 for no intervals.</summary>
    public int BootstrapReplicates { get; init; } = 200;

    /// <summary>Confidence level of the intervals, in (0, 1).</summary>
    public double ConfidenceLevel { get; init; } = 0.95;

    /// <summary>Seed of the bootstrap. A row's weights depend only on the seed and the row's id, so the order of the rows does not matter, nor how they are divided.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Largest number of classes in <see cref="DistillationMetrics.WorstRegressions"/>, at least 0.</summary>
    public int WorstRegressions { get; init; } = 5;

    /// <summary>Kind of the teacher's scores. <see cref="ScoreKind.Auto"/> is probabilities, otherwise an error; if the teacher is given as a model and is a naive
    /// Bayes model of ML.NET, logits.</summary>
    public ScoreKind TeacherScoreKind { get; init; } = ScoreKind.Auto;

    /// <summary>Kind of the student's scores. <see cref="ScoreKind.Auto"/> is probabilities, otherwise an error.</summary>
    public ScoreKind StudentScoreKind { get; init; } = ScoreKind.Auto;

    /// <summary>The class of each of the teacher's scores, if its column has no class names; null if it has them, or if the student's column has none either.</summary>
    public IReadOnlyList<string>? TeacherClassNames { get; init; }

    /// <summary>Maps the teacher's classes to the student's if they differ.</summary>
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
        // Memory: about twenty sums for each replicate, and two for each of its bins.
        .. Faults.Unless(ReliabilityBins <= MaximumBins, $"ReliabilityBins must be at most {MaximumBins}; was {ReliabilityBins}. 10 to 20 are usual."),
        .. Faults.Unless(BootstrapReplicates <= MaximumReplicates, $"BootstrapReplicates must be at most {MaximumReplicates}; was {BootstrapReplicates}. 200 to 10000 are usual."),
        .. Faults.AtLeast(1, nameof(ReliabilityBins), ReliabilityBins),
        .. Faults.Unless(TopK?.All(k => k >= 1) == true, $"TopK must hold numbers of at least 1; was {(TopK is null ? "null" : NumberText.Join(TopK))}."),
        .. Faults.Unless(BootstrapReplicates is not (< 0 or 1), $"BootstrapReplicates must be at least 2, or 0 for no intervals; was {BootstrapReplicates}."),
        .. Faults.Unless(ConfidenceLevel is > 0 and < 1, $"ConfidenceLevel must be between 0 and 1; was {ConfidenceLevel}."),
        .. Faults.Unless(
            !(BootstrapReplicates >= 2 && ConfidenceLevel is > 0 and < 1) || BootstrapReplicates * (1 - ConfidenceLevel) / 2 >= 1 - 1e-9,
            $"BootstrapReplicates must be at least {Math.Ceiling(2 / (1 - ConfidenceLevel))} for intervals at ConfidenceLevel {ConfidenceLevel}; was {BootstrapReplicates}."),
        .. Faults.AtLeast(0, nameof(WorstRegressions), WorstRegressions),
        .. TeacherScores("").Validate(),
        .. Faults.Defined(nameof(StudentScoreKind), StudentScoreKind),
    ];
}

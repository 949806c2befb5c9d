namespace MlNetDistill.Evaluation;

/// <summary>The evaluation of a student on some rows: the quality of teacher and student, and the student's fidelity to its teacher.</summary>
/// <remarks>
/// Every figure is a sum over rows divided once by their number. Divergences are in nats, at temperature 1. The fidelity measures follow Stanton et al. 2021,
/// "Does Knowledge Distillation Really Work?": a student can be accurate and still disagree with its teacher.
/// </remarks>
public sealed record DistillationMetrics
{
    /// <summary>Number of rows.</summary>
    public required long Rows { get; init; }

    /// <summary>Rows that have a label; only these count for accuracy and calibration.</summary>
    public required long LabelledRows { get; init; }

    /// <summary>Names of the K classes, in the student's order.</summary>
    public required IReadOnlyList<string> Classes { get; init; }

    /// <summary>The teacher's own quality; null where no row has a label.</summary>
    public required ModelQuality? Teacher { get; init; }

    /// <summary>The student's own quality; null where no row has a label.</summary>
    public required ModelQuality? Student { get; init; }

    /// <summary>Share of the rows for which both predict the same class, in [0, 1]. Of equally probable classes, the first counts as predicted.</summary>
    public required Estimate Agreement { get; init; }

    /// <summary>The same over rows that the teacher predicts correctly; null where there are none.</summary>
    public required Estimate? AgreementWhereTeacherIsCorrect { get; init; }

    /// <summary>The same over rows that the teacher predicts wrongly, where agreement means copied mistakes; null where there are none.</summary>
    public required Estimate? AgreementWhereTeacherIsWrong { get; init; }

    /// <summary>Mean KL(teacher ‖ student), at least 0.</summary>
    public required Estimate Divergence { get; init; }

    /// <summary>Mean KL(student ‖ teacher), at least 0.</summary>
    public required Estimate ReverseDivergence { get; init; }

    /// <summary>Mean Jensen-Shannon divergence, in [0, ln 2].</summary>
    public required Estimate JensenShannonDivergence { get; init; }

    /// <summary>Mean over rows and classes of the squared difference of the two probabilities, in [0, 2/K].</summary>
    public required Estimate SquaredDifference { get; init; }

    /// <summary>
    /// Mean over rows of Spearman's rank correlation between the two models' class probabilities, in [-1, 1]; equal probabilities have their mean rank. Rows for which
    /// a model finds all classes equally probable are left out; null if that leaves no row.
    /// </summary>
    public required Estimate? RankCorrelation { get; init; }

    /// <summary>Overlap of the k most probable classes, for each k of the options that is less than K.</summary>
    public required IReadOnlyList<TopKOverlap> TopKOverlap { get; init; }

    /// <summary>Number of rows for each pair of predictions of teacher and student.</summary>
    public required AgreementMatrix Matrix { get; init; }

    /// <summary>The classes one by one, in the student's order.</summary>
    public required IReadOnlyList<ClassFidelity> PerClass { get; init; }

    /// <summary>Classes in which the student is less accurate than its teacher, the worst first, at most as many as the options say.</summary>
    public required IReadOnlyList<ClassFidelity> WorstRegressions { get; init; }

    /// <summary>The student's accuracy as a share of its teacher's; 1 if the teacher's is 0. Null where no row has a label.</summary>
    internal Estimate? AccuracyRetention
    {
        get
        {
            if (Teacher is not { Accuracy.Value: var teacher } || Student is not { Accuracy.Value: var student })
                return null;
            if (teacher == 0)
                return new Estimate(1, 1, 1);
            var share = Replicates.Share(Statistic.StudentCorrect, Statistic.TeacherCorrect);
            return Replicates?.EstimateShare(share, Replicates.Sums[Statistic.TeacherCorrect, 0]) ?? new Estimate(student / teacher);
        }
    }

    /// <summary>The bootstrap of the intervals; null in metrics that were not measured in this process.</summary>
    internal Replicates? Replicates { get; init; }

    /// <summary>A table of the figures, with their intervals if there are any, and the classes that lose most accuracy.</summary>
    public override string ToString() => MetricsText.Format(this);

    /// <summary>
    /// This student's figures minus another's on the same rows, with intervals of the differences. Use it to compare two methods, or a student with the same student
    /// trained alone: as most rows are equally hard for both, these intervals are much narrower than those of the two students.
    /// </summary>
    /// <param name="other">The metrics of another student, on the same rows (by their ids) and with the same options.</param>
    /// <exception cref="ArgumentException">Rows or options differ; the message says what.</exception>
    public DistillationDifference DifferenceFrom(DistillationMetrics other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return DistillationDifference.Between(this, other);
    }
}

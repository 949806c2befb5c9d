namespace MlNetDistill.Evaluation;

/// <summary>How well a student does its teacher's job on some rows: both models' quality, and the student's fidelity to its teacher.</summary>
/// <remarks>
/// Every figure is a sum over rows divided once by their number. Divergences are in nats, at temperature 1. What is measured follows Stanton et al. 2021,
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

    /// <summary>Share of the rows for which both name the same class, in [0, 1]. Of classes that are equally probable the first counts.</summary>
    public required Estimate Agreement { get; init; }

    /// <summary>The same over rows that the teacher labels rightly; null where there are none.</summary>
    public required Estimate? AgreementWhereTeacherIsCorrect { get; init; }

    /// <summary>The same over rows that the teacher labels wrongly: what the student copies of its mistakes; null where there are none.</summary>
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
    /// Mean over rows of Spearman's rank correlation of the two rows of probabilities, in [-1, 1], equal probabilities sharing their mean rank. Rows where
    /// one of the models finds all classes equally probable have none and are left out; null where that leaves no row.
    /// </summary>
    public required Estimate? RankCorrelation { get; init; }

    /// <summary>Overlap of the k most probable classes, for each k asked for that is less than K.</summary>
    public required IReadOnlyList<TopKOverlap> TopKOverlap { get; init; }

    /// <summary>How often the teacher names one class and the student another.</summary>
    public required AgreementMatrix Matrix { get; init; }

    /// <summary>The classes one by one, in the student's order.</summary>
    public required IReadOnlyList<ClassFidelity> PerClass { get; init; }

    /// <summary>Classes in which the student is less accurate than its teacher, the worst first, as many as were asked for.</summary>
    public required IReadOnlyList<ClassFidelity> WorstRegressions { get; init; }

    /// <summary>The student's accuracy as a share of its teacher's, 1 where that is 0: nothing is there to keep. Null where no row has a label.</summary>
    internal Estimate? AccuracyRetention
    {
        get
        {
            if (Teacher is not { Accuracy.Value: var teacher } || Student is not { Accuracy.Value: var student })
                return null;
            if (teacher == 0)
                return new Estimate(1, 1, 1);
            var kept = Replicates.Share(Statistic.StudentCorrect, Statistic.TeacherCorrect);
            return Replicates?.EstimateShare(kept, Replicates.Sums[Statistic.TeacherCorrect, 0]) ?? new Estimate(student / teacher);
        }
    }

    /// <summary>The bootstrap behind the intervals; null in metrics that were not measured in this process.</summary>
    internal Replicates? Replicates { get; init; }

    /// <summary>A table of the figures, with their intervals where there are some, and the classes that lose most.</summary>
    public override string ToString() => MetricsText.Format(this);

    /// <summary>
    /// This student's figures less another's on the same rows, with intervals of the differences. They are far narrower than the two students' own
    /// intervals let one think, as most rows are equally hard for both: the way to compare two methods, or a student with the same student trained alone.
    /// </summary>
    /// <param name="other">What the same evaluation of another student gave: the same rows, by their ids, and the same options.</param>
    /// <exception cref="ArgumentException">It was not measured on the same rows in the same way; the message says what differs.</exception>
    public DistillationDifference DifferenceFrom(DistillationMetrics other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return DistillationDifference.Between(this, other);
    }
}

namespace MlNetDistill.Evaluation;

/// <summary>What is summed over rows, over all of them and in each replicate.</summary>
internal enum Statistic
{
    /// <summary>1.</summary>
    Rows,

    /// <summary>1 where there is a label. What follows as far as <see cref="StudentBrier"/> is 0 where there is none.</summary>
    Labelled,

    /// <summary>1 where the teacher names the label.</summary>
    TeacherCorrect,

    /// <summary>1 where the student names the label.</summary>
    StudentCorrect,

    /// <summary>1 where both name the label.</summary>
    BothRight,

    /// <summary>1 where both name the same class, and it is not the label.</summary>
    BothWrongAlike,

    TeacherLogLoss,

    StudentLogLoss,

    TeacherBrier,

    StudentBrier,

    /// <summary>1 where both name the same class, label or none.</summary>
    Agree,

    Divergence,

    ReverseDivergence,

    JensenShannon,

    SquaredDifference,

    /// <summary>1 where there is a rank correlation.</summary>
    Ranked,

    RankCorrelation,

    /// <summary>Overlaps of the most probable classes, one for each k, begin here.</summary>
    TopKOverlap,
}

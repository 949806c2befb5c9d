namespace MlNetDistill.Evaluation;

/// <summary>The numbers of a row that are summed over all rows and in each replicate.</summary>
internal enum Statistic
{
    /// <summary>1.</summary>
    Rows,

    /// <summary>1 if the row has a label. Without a label, this and all statistics up to <see cref="StudentBrier"/> are 0.</summary>
    Labelled,

    /// <summary>1 if the teacher predicts the label.</summary>
    TeacherCorrect,

    /// <summary>1 if the student predicts the label.</summary>
    StudentCorrect,

    /// <summary>1 if both predict the label.</summary>
    BothRight,

    /// <summary>1 if both predict the same class, and it is not the label.</summary>
    BothWrongAlike,

    TeacherLogLoss,

    StudentLogLoss,

    TeacherBrier,

    StudentBrier,

    /// <summary>1 if both predict the same class, with or without a label.</summary>
    Agree,

    Divergence,

    ReverseDivergence,

    JensenShannon,

    SquaredDifference,

    /// <summary>1 if there is a rank correlation.</summary>
    Ranked,

    RankCorrelation,

    /// <summary>The first of the overlaps of the most probable classes; there is one for each k.</summary>
    TopKOverlap,
}

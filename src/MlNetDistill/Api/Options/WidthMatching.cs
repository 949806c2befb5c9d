namespace MlNetDistill;

/// <summary>How embeddings of student and teacher are compared if their lengths differ.</summary>
public enum WidthMatching
{
    /// <summary>
    /// <see cref="Pca"/> if the student's embedding is shorter, <see cref="LearntProjection"/> if it is longer; neither for losses that compare pairs of rows only, which
    /// need no equal lengths.
    /// </summary>
    Auto,

    /// <summary>
    /// The teacher's embeddings are projected to the student's length, to the directions that keep most of their cosines on the training rows (principal components
    /// without subtracting the mean), and do not change in training. The student's cosines are then those of the teacher as nearly as its length allows.
    /// </summary>
    Pca,

    /// <summary>
    /// A linear layer from the student's length to the teacher's is trained with the student and thrown away after. The student keeps what the teacher's embedding can be
    /// computed from, but its own cosines need not be the teacher's.
    /// </summary>
    LearntProjection,
}

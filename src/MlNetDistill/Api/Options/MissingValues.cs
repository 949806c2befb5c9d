namespace MlNetDistill;

/// <summary>What to do with rows that have no label (a missing key).</summary>
public enum MissingLabels
{
    /// <summary>Fail and say how many there are.</summary>
    Error,

    /// <summary>Leave them out.</summary>
    Drop,

    /// <summary>Let them learn from the teacher alone: terms over labels skip them.</summary>
    TeacherOnly,
}

/// <summary>
/// What to do with rows whose features are missing (a null or empty vector), shorter or longer than the column says, NaN or infinite; with rows at which a
/// step before the trainer fails (a broken or missing picture, for example); and with rows in which a vector of the data that the teacher reads, its scores for
/// example, is missing, of another length or, of answers, NaN.
/// </summary>
public enum MissingFeatures
{
    /// <summary>Fail and name the first of them.</summary>
    Error,

    /// <summary>Leave them out, and warn of how many. Where a step fails, the rows are read once more, on one thread.</summary>
    Drop,
}

namespace MlNetDistill;

/// <summary>What to do with rows that have no label (a missing key).</summary>
public enum MissingLabels
{
    /// <summary>Throw, with the number of such rows.</summary>
    Error,

    /// <summary>Leave them out.</summary>
    Drop,

    /// <summary>Use them with the teacher's outputs only: losses over labels skip them.</summary>
    TeacherOnly,
}

/// <summary>
/// What to do with rows that cannot be used: features are missing (a null or empty vector), NaN, infinite, or of another length than the column's; a step before the
/// trainer fails for the row (for example because an image is broken or missing); or a vector that the teacher reads, for example its scores, is missing, of
/// another length, or NaN; or an embedding of the teacher, wherever it comes from, is NaN or infinite, or has no direction because it is shorter than 1e-6.
/// </summary>
public enum MissingFeatures
{
    /// <summary>Throw, with the first such row.</summary>
    Error,

    /// <summary>Leave them out, with a warning that has their number. If a step fails, the rows are read again on one thread.</summary>
    Drop,
}

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

/// <summary>What to do with rows whose features are NaN or infinite.</summary>
public enum MissingFeatures
{
    /// <summary>Fail and name the first of them.</summary>
    Error,

    /// <summary>Leave them out, and log how many.</summary>
    Drop,
}

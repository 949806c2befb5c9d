namespace MlNetDistill.Cache;

/// <summary>What is done about a teacher record that an earlier run has left in the folder.</summary>
public enum RecordReuse
{
    /// <summary>It is used where it fits; one that is damaged or stale is built anew with a warning, and so is one that is not there.</summary>
    ReuseOrBuild,

    /// <summary>It is built anew and replaced.</summary>
    BuildAnew,

    /// <summary>It is used, and where there is none that fits, or it is damaged or stale, the fit fails.</summary>
    ReuseOnly,
}

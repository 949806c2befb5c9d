namespace MlNetDistill.Cache;

/// <summary>What is done about a teacher cache that an earlier run has left in the folder.</summary>
public enum CacheMode
{
    /// <summary>It is used where it fits; one that is damaged or stale is built anew with a warning, and so is one that is not there.</summary>
    UseOrCreate,

    /// <summary>It is built anew and replaced.</summary>
    Rebuild,

    /// <summary>It is used, and where there is none that fits, or it is damaged or stale, the fit fails.</summary>
    UseOnly,
}

namespace MlNetDistill.Cache;

/// <summary>Whether a teacher's outputs are cached, and whether a cache of an earlier run is used.</summary>
public enum CacheMode
{
    /// <summary>A matching cache is used. Without one, or with a warning if it is damaged or stale, a new cache is built.</summary>
    UseOrCreate,

    /// <summary>A new cache is built and replaces an existing one.</summary>
    Rebuild,

    /// <summary>A matching cache is used. Without one, or if it is damaged or stale, the fit fails.</summary>
    UseOnly,

    /// <summary>
    /// Nothing is cached: the teacher is queried in every step. For a teacher that computes its outputs faster than they are read, or to measure one.
    /// </summary>
    Off,
}

namespace MlNetDistill.Cache;

/// <summary>How a teacher's answers are kept.</summary>
public enum CachePrecision
{
    /// <summary>32-bit floats: the answers as they were given.</summary>
    Single,

    /// <summary>16-bit floats, half the size: each value is rounded to 11 significant bits; one beyond ±65504 is refused.</summary>
    Half,
}

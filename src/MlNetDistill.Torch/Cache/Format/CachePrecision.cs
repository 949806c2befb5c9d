namespace MlNetDistill.Cache;

/// <summary>Precision of the values in a teacher cache.</summary>
public enum CachePrecision
{
    /// <summary>32-bit floats: the teacher's outputs unchanged.</summary>
    Single,

    /// <summary>16-bit floats, half the size: each value is rounded to 11 significant bits. A value beyond ±65504 is an error.</summary>
    Half,
}

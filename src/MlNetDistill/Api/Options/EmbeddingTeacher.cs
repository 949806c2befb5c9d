namespace MlNetDistill;

/// <summary>
/// Describes the teacher of an embedding student: whatever gives a vector for every row. It is queried once for each training row and never changed; the vectors stay in
/// memory during the fit, 4 bytes a value.
/// </summary>
public abstract partial class EmbeddingTeacher
{
    private protected EmbeddingTeacher() { }

    /// <summary>Its name in logs.</summary>
    internal abstract string Name { get; }

    /// <summary>Its name in logs.</summary>
    public override string ToString() => Name;

    /// <summary>What is wrong with its settings, one sentence per fault.</summary>
    internal virtual IEnumerable<string> Validate() => [];
}

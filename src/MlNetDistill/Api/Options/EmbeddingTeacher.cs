namespace MlNetDistill;

/// <summary>
/// Describes the teacher of an embedding student: whatever gives a vector for every row. It is queried once for each training row and never changed; the vectors stay in
/// memory during the fit, 4 bytes a value. With augmentation and for stage features it is queried in every step as well.
/// </summary>
public abstract partial class EmbeddingTeacher
{
    private protected EmbeddingTeacher() { }

    /// <summary>Its name in logs.</summary>
    internal abstract string Name { get; }

    /// <summary>Whether it is a route: several teachers in order.</summary>
    internal virtual bool IsRoute => false;

    /// <summary>Whether it can embed augmented rows: a model over the student's features.</summary>
    internal virtual bool SupportsAugmentation => false;

    /// <summary>Whether it gives stage features too.</summary>
    internal virtual bool GivesStageFeatures => false;

    /// <summary>Its name in logs.</summary>
    public override string ToString() => Name;

    /// <summary>What is wrong with its settings, one sentence per fault.</summary>
    internal virtual IEnumerable<string> Validate() => [];
}

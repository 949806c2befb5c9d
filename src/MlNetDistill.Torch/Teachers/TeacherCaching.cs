using MlNetDistill.Cache;

namespace MlNetDistill.Teachers;

/// <summary>How and where a teacher's outputs are cached.</summary>
/// <param name="Store">The store of the caches.</param>
/// <param name="BatchSize">Rows of a query.</param>
internal sealed record TeacherCaching(CacheStore Store, int BatchSize)
{
    /// <summary>The teacher's name in messages.</summary>
    public string Name { get; init; } = "teacher";

    /// <summary>The user's options.</summary>
    public TeacherCacheOptions Options => Store.Options;

    /// <summary>The teacher that keeps stage features after its stage because the next stage may read them; null for none.</summary>
    public CacheableTeacher? LastTeacher { get; set; }

    /// <summary>A hash of the student's classes; logits are cached in their order.</summary>
    public string Classes { get; init; } = "";

    /// <summary>Everything that pre-drawn views depend on except the rows; null if rows are not augmented.</summary>
    public string? Augmentation { get; init; }

    /// <summary>Whether caches are kept in a folder for later runs, which find them by hashes.</summary>
    public bool IsPersistent => Options.IsPersistent;

    /// <summary>Caches outputs in memory as long as the teacher lives.</summary>
    public static TeacherCaching InMemory(int batchSize) =>
        new(new CacheStore(new TeacherCacheOptions(), Path.GetTempPath(), _ => { }, _ => { }, CancellationToken.None), batchSize);

    /// <summary>The same without a folder: for this run only.</summary>
    public TeacherCaching WithoutFolder() => IsPersistent ? this with { Store = Store.WithoutFolder() } : this;
}

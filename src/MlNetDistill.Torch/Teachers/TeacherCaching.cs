using MlNetDistill.Cache;


namespace MlNetDistill.Teachers;

/// <summary>How and where a teacher's answers are kept.</summary>
/// <param name="Options">What the user asked for.</param>
/// <param name="BatchSize">Rows asked about at a time.</param>
/// <param name="StoreOf">Makes the place where records are.</param>
internal sealed record TeacherCaching(TeacherCacheOptions Options, int BatchSize, Func<TeacherCacheOptions, CacheStore> CreateStore)
{
    private CacheStore? _store;

    /// <summary>Where records are.</summary>
    public CacheStore Store => _store ??= CreateStore(Options);

    /// <summary>The teacher that keeps activations after its stage, which the next may read; null for none.</summary>
    public CacheableTeacher? Last { get; set; }

    /// <summary>A hash of the student's classes, in whose order logits are kept.</summary>
    public string Classes { get; init; } = "";

    /// <summary>All that pre-drawn views depend on but the rows, or null where rows are not augmented.</summary>
    public string? Augmentation { get; init; }

    /// <summary>Whether records outlive the run, and must say what they are of.</summary>
    public bool IsPersistent => Options.IsPersistent;

    /// <summary>Answers kept in memory for as long as the teacher lives.</summary>
    public static TeacherCaching InMemory(int batchSize) => new(
        new TeacherCacheOptions(), batchSize, options => new CacheStore(options, Path.GetTempPath(), _ => { }, _ => { }, CancellationToken.None));

    /// <summary>The same, but for this run only.</summary>
    public TeacherCaching WithoutFolder() => IsPersistent ? this with { Options = Options with { Folder = null, Mode = CacheMode.UseOrCreate }, _store = null } : this;
}

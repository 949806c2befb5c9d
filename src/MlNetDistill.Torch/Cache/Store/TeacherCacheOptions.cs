using MlNetDistill.Core;
using MlNetDistill.Networks;

namespace MlNetDistill.Cache;

/// <summary>Options of the teacher cache, which keeps a teacher's outputs, so that they are computed once for all epochs, methods and runs.</summary>
public sealed record TeacherCacheOptions
{
    /// <summary>
    /// The folder for caches that later fits and other processes can use, with one file for each teacher, data and options. Null: outputs are kept for the fit
    /// only.
    /// </summary>
    public string? Folder { get; init; }

    /// <summary>Whether values are kept as 32-bit or as 16-bit floats.</summary>
    public CachePrecision Precision { get; init; } = CachePrecision.Single;

    /// <summary>
    /// Number of largest logits kept for each row, at least 1 and less than the number of classes; null for all. The other classes share their total
    /// probability equally (our choice), so that at temperature 1 the probabilities of the kept classes are exact.
    /// </summary>
    public int? TopK { get; init; }

    /// <summary>With augmentation: number of views of each row that are drawn in advance and cached, at least 1. With 0, the teacher is queried in every step.</summary>
    public int AugmentedViews { get; init; }

    /// <summary>Whether stage features are kept too, which take the memory of all activations. If not, the teacher computes them in every step.</summary>
    public bool KeepStageFeatures { get; init; }

    /// <summary>
    /// Bytes of outputs in memory (of the training device) of all teachers of a fit together, 0 or more. A cache beyond the limit is read batch by batch from its
    /// file. Not counted: 8 bytes a row if its rows are in another order, and, while it is opened, 16 to 22 bytes for each row id. Ids that count up, as those of ML.NET's loaders, take none.
    /// </summary>
    public long MemoryLimit { get; init; } = 1L << 30;

    /// <summary>Whether outputs are cached, and whether a cache of an earlier run is used.</summary>
    public CacheMode Mode { get; init; }

    /// <summary>
    /// A name for the data instead of their hash, if hashing is impossible or takes too long. Other data need another name, which is not checked. Null for the hash.
    /// </summary>
    public string? CacheKey { get; init; }

    /// <summary>Its settings, on one line if they fit.</summary>
    public override string ToString() => SettingText.Describe(this);

    /// <summary>Whether caches are kept for later fits.</summary>
    internal bool IsPersistent => Folder is not null;

    /// <summary>The outputs that are cached; stage features only on request, as they are large.</summary>
    internal ModelOutputs Kept => ModelOutputs.Logits | ModelOutputs.Embedding | (KeepStageFeatures ? ModelOutputs.StageFeatures : ModelOutputs.None);

    /// <summary>Whether the outputs that a stage reads are cached; else the teacher is queried in every step.</summary>
    /// <param name="wanted">The outputs that the stage reads.</param>
    /// <param name="augmented">Whether the stage augments rows.</param>
    internal bool Keeps(ModelOutputs wanted, bool augmented) => Mode != CacheMode.Off && wanted != ModelOutputs.None && (wanted & ~Kept) == ModelOutputs.None && (!augmented || AugmentedViews > 0);

    internal IEnumerable<string> Validate() =>
    [
        .. Faults.NameOrNull("TeacherCache.Folder", "a folder's name, or null for no folder", Folder),
        .. Faults.Unless(!(Folder?.IndexOfAny(Path.GetInvalidPathChars()) >= 0), $"TeacherCache.Folder must be a folder's name; '{Folder}' holds a character that no path may hold."),
        .. Faults.Defined("TeacherCache.Precision", Precision),
        .. Faults.AtLeast(1, "TeacherCache.TopK", TopK),
        .. Faults.AtLeast(0, "TeacherCache.AugmentedViews", AugmentedViews),
        .. Faults.AtLeast(0, "TeacherCache.MemoryLimit", MemoryLimit),
        .. Faults.Defined("TeacherCache.Mode", Mode),
        .. Faults.Unless(
            Mode != CacheMode.Off || (!IsPersistent && AugmentedViews == 0 && !KeepStageFeatures && TopK is null && CacheKey is null),
            $"TeacherCache.Mode is Off, so nothing is cached, and Folder, AugmentedViews, KeepStageFeatures, TopK and CacheKey have no effect. Leave them out, or choose another mode."),
        .. Faults.Unless(Mode != CacheMode.UseOnly || IsPersistent, $"TeacherCache.Mode is UseOnly, which needs a Folder to find the cache in."),
        .. Faults.NameOrNull("TeacherCache.CacheKey", "a name, or null for the hash of the data", CacheKey),
    ];
}

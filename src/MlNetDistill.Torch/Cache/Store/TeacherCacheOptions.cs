using MlNetDistill.Core;
using MlNetDistill.Networks;

namespace MlNetDistill.Cache;

/// <summary>How a teacher's answers are kept, to be computed once and used in all epochs, methods and runs.</summary>
public sealed record TeacherCacheOptions
{
    /// <summary>
    /// The folder for records that outlive the fit, one file for each teacher, data and setting; several processes may share it. Null: the answers are
    /// kept for the fit only.
    /// </summary>
    public string? Folder { get; init; }

    /// <summary>Whether values are kept as 32-bit or as 16-bit floats.</summary>
    public CachePrecision Precision { get; init; } = CachePrecision.Single;

    /// <summary>
    /// Number of logits kept of each row, the largest, at least 1 and less than the number of classes; null for all. The probability of the others is
    /// kept as one sum and shared out equally among them (our choice), so that at temperature 1 the probabilities of the kept classes are exact.
    /// </summary>
    public int? TopK { get; init; }

    /// <summary>With augmentation: number of views of each row that are drawn and answered beforehand, at least 1. With 0 the teacher answers live.</summary>
    public int AugmentedViews { get; init; }

    /// <summary>Whether stage features are kept too. They take the memory of all activations; when not kept, they are answered live.</summary>
    public bool KeepStageFeatures { get; init; }

    /// <summary>
    /// Bytes of answers that may be held in memory (of the device that trains), 0 or more, by all teachers of a fit together. A record for which no room is left
    /// is read from its file, which is mapped into memory, batch by batch. Not counted: 16 to 60 bytes a row for row ids while the record is opened, and 8 where they come in another order.
    /// </summary>
    public long MemoryLimit { get; init; } = 1L << 30;

    /// <summary>What is done about a record of an earlier run.</summary>
    public CacheMode Mode { get; init; }

    /// <summary>
    /// A name for the data, put in place of their hash where that cannot be taken or would take too long. Whoever gives it vouches for it: other data need
    /// another name. Null for the hash.
    /// </summary>
    public string? CacheKey { get; init; }

    /// <summary>Its settings, in a line where they fit in one.</summary>
    public override string ToString() => SettingText.Describe(this);

    /// <summary>Whether answers outlive the fit.</summary>
    internal bool IsPersistent => Folder is not null;

    /// <summary>What is kept; activations only where asked for, as they are large.</summary>
    internal ModelOutputs Kept => ModelOutputs.Logits | ModelOutputs.Embedding | (KeepStageFeatures ? ModelOutputs.StageFeatures : ModelOutputs.None);

    /// <summary>Whether answers that a stage reads are recorded; else the teacher answers live.</summary>
    /// <param name="wanted">What the stage reads.</param>
    /// <param name="augmented">Whether it augments its rows.</param>
    internal bool Keeps(ModelOutputs wanted, bool augmented) => wanted != ModelOutputs.None && (wanted & ~Kept) == ModelOutputs.None && (!augmented || AugmentedViews > 0);

    internal IEnumerable<string> Validate() =>
    [
        .. Faults.NameOrNull("TeacherCache.Folder", "a folder's name, or null for no folder", Folder),
        .. Faults.Unless(!(Folder?.IndexOfAny(Path.GetInvalidPathChars()) >= 0), $"TeacherCache.Folder must be a folder's name; '{Folder}' holds a character that no path may hold."),
        .. Faults.Defined("TeacherCache.Precision", Precision),
        .. Faults.AtLeast(1, "TeacherCache.TopK", TopK),
        .. Faults.AtLeast(0, "TeacherCache.AugmentedViews", AugmentedViews),
        .. Faults.AtLeast(0, "TeacherCache.MemoryLimit", MemoryLimit),
        .. Faults.Defined("TeacherCache.Mode", Mode),
        .. Faults.Unless(Mode != CacheMode.UseOnly || IsPersistent, $"TeacherCache.Mode is UseOnly, which needs a Folder to find the cache in."),
        .. Faults.NameOrNull("TeacherCache.CacheKey", "a name, or null for the hash of the data", CacheKey),
    ];
}

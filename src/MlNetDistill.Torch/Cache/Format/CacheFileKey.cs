using System.Security.Cryptography;
using MlNetDistill.Networks;

namespace MlNetDistill.Cache;

/// <summary>Everything that the contents of a teacher cache depend on. Caches with equal keys have equal contents.</summary>
internal sealed record CacheFileKey
{
    /// <summary>Identifies the teacher, such as by a hash of its weights.</summary>
    public required string Teacher { get; init; }

    /// <summary>Identifies the data, such as by their <see cref="Data.DataHash"/>.</summary>
    public required string Data { get; init; }

    /// <summary>Number of rows, at least 1.</summary>
    public required long Rows { get; init; }

    /// <summary>Identifies the names and the order of the classes.</summary>
    public required string Classes { get; init; }

    /// <summary>Shapes of all outputs of the teacher.</summary>
    public required OutputShapes Shapes { get; init; }

    /// <summary>The cached outputs, at least one.</summary>
    public required ModelOutputs Kept { get; init; }

    /// <summary>Precision of the values.</summary>
    public CachePrecision Precision { get; init; }

    /// <summary>Number of logits kept of a row, in [1, classes); null for all.</summary>
    public int? TopK { get; init; }

    /// <summary>Number of views of each row; 0 for the rows as they are.</summary>
    public int AugmentedViews { get; init; }

    /// <summary>Identifies the augmentation that draws the views.</summary>
    public string? Augmentation { get; init; }

    /// <summary>Number of entries: one for each row, or one for each view of a row.</summary>
    public long Entries => Rows * Math.Max(1, AugmentedViews);

    /// <summary>Name of the file: a hash of the key without the cached outputs, then the cached outputs, so that a cache with more outputs is found by its name.</summary>
    public string FileName => $"{Convert.ToHexStringLower(SHA256.HashData(CacheHeader.KeyBytes(this)))[..16]}-{string.Join('+', KeptNames)}.teacher";

    /// <summary>Names of the cached outputs.</summary>
    public IEnumerable<string> KeptNames
    {
        get
        {
            if (Kept.HasFlag(ModelOutputs.Logits))
                yield return "logits";
            if (Kept.HasFlag(ModelOutputs.Embedding))
                yield return "embedding";
            if (Kept.HasFlag(ModelOutputs.StageFeatures))
                yield return "stages";
        }
    }

    /// <summary>This key, then the keys of caches that have further outputs and can be used as well.</summary>
    public IEnumerable<CacheFileKey> SufficientKeys()
    {
        for (var outputs = ModelOutputs.None; outputs <= Shapes.Available; outputs++)
        {
            if ((outputs & Kept) == Kept && (outputs & ~Shapes.Available) == ModelOutputs.None)
                yield return this with { Kept = outputs };
        }
    }

    /// <exception cref="ArgumentException">A value is out of range.</exception>
    public void Check()
    {
        if (Rows < 1 || Rows > int.MaxValue)
            throw new ArgumentException($"A teacher cache needs 1 to {int.MaxValue} rows; was {Rows}.");
        if (Kept == ModelOutputs.None || (Kept & ~Shapes.Available) != ModelOutputs.None)
            throw new ArgumentException($"The teacher's outputs are {Shapes.Available}; {Kept} cannot be cached.");
        if (TopK is { } k && (k < 1 || k >= Shapes.LogitCount))
            throw new ArgumentException($"TopK of a teacher cache must be at least 1 and less than the number of classes, {Shapes.LogitCount}; was {k}. Leave it out to keep all logits.");
    }
}

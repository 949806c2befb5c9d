using System.Security.Cryptography;
using MlNetDistill.Networks;

namespace MlNetDistill.Cache;

/// <summary>Everything the answers of a record depend on. Records of equal keys hold equal answers.</summary>
internal sealed record CacheFileKey
{
    /// <summary>Identity of the teacher, such as a hash of its weights.</summary>
    public required string Teacher { get; init; }

    /// <summary>Identity of the data, such as their <see cref="Data.DataHash"/>.</summary>
    public required string Data { get; init; }

    /// <summary>Number of rows N, at least 1.</summary>
    public required long Rows { get; init; }

    /// <summary>Names and order of the classes.</summary>
    public required string Classes { get; init; }

    /// <summary>What the teacher can give.</summary>
    public required OutputShapes Shapes { get; init; }

    /// <summary>What of it is kept; at least one output.</summary>
    public required ModelOutputs Kept { get; init; }

    /// <summary>How values are kept.</summary>
    public CachePrecision Precision { get; init; }

    /// <summary>Number of logits kept of a row, in [1, classes); null for all.</summary>
    public int? TopK { get; init; }

    /// <summary>Number of views of each row; 0 for the rows as they are.</summary>
    public int AugmentedViews { get; init; }

    /// <summary>The augmentation that makes the views.</summary>
    public string? Augmentation { get; init; }

    /// <summary>Number of answers: a row has one, or one for each view.</summary>
    public long Entries => Rows * Math.Max(1, AugmentedViews);

    /// <summary>Name of the file: the key without what is kept as a hash, then what is kept, so that a record that keeps more is found by its name.</summary>
    public string FileName => $"{Convert.ToHexStringLower(SHA256.HashData(CacheHeader.Identity(this)))[..16]}-{string.Join('+', KeptNames)}.teacher";

    /// <summary>The kept outputs as words.</summary>
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

    /// <summary>This key, then those of the records that keep more and so serve as well.</summary>
    public IEnumerable<CacheFileKey> SufficientKeys()
    {
        for (var kinds = ModelOutputs.None; kinds <= Shapes.Available; kinds++)
        {
            if ((kinds & Kept) == Kept && (kinds & ~Shapes.Available) == ModelOutputs.None)
                yield return this with { Kept = kinds };
        }
    }

    /// <exception cref="ArgumentException">A part of the key contradicts another.</exception>
    public void Check()
    {
        if (Rows < 1 || Rows > int.MaxValue)
            throw new ArgumentException($"A teacher cache needs 1 to {int.MaxValue} rows; was {Rows}.");
        if (Kept == ModelOutputs.None || (Kept & ~Shapes.Available) != ModelOutputs.None)
            throw new ArgumentException($"A teacher that gives {Shapes.Available} cannot have {Kept} kept.");
        if (TopK is { } k && (k < 1 || k >= Shapes.LogitCount))
            throw new ArgumentException($"TopK of a teacher cache must be at least 1 and less than the number of classes, {Shapes.LogitCount}; was {k}. Leave it out to keep all.");
    }
}

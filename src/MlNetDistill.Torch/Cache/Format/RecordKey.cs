using System.Security.Cryptography;
using MlNetDistill.Data;
using MlNetDistill.Networks;

namespace MlNetDistill.Cache;

/// <summary>Everything the answers of a record depend on. Records of equal keys hold equal answers.</summary>
internal sealed record RecordKey
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
    public required OutputKinds Kept { get; init; }

    /// <summary>How values are kept.</summary>
    public RecordPrecision Precision { get; init; }

    /// <summary>Number of logits kept of a row, in [1, classes); null for all.</summary>
    public int? TopK { get; init; }

    /// <summary>Number of views of each row; 0 for the rows as they are.</summary>
    public int Views { get; init; }

    /// <summary>The augmentation that makes the views.</summary>
    public string? Augmentation { get; init; }

    /// <summary>Number of answers: a row has one, or one for each view.</summary>
    public long Entries => Rows * Math.Max(1, Views);

    /// <summary>Name of the file: the key without what is kept as a hash, then what is kept, so that a record that keeps more is found by its name.</summary>
    public string FileName => $"{Convert.ToHexStringLower(SHA256.HashData(RecordHeader.Identity(this)))[..16]}-{string.Join('+', KeptNames)}.teacher";

    /// <summary>The kept outputs as words.</summary>
    public IEnumerable<string> KeptNames
    {
        get
        {
            if (Kept.HasFlag(OutputKinds.Logits))
                yield return "logits";
            if (Kept.HasFlag(OutputKinds.Embedding))
                yield return "embedding";
            if (Kept.HasFlag(OutputKinds.StageFeatures))
                yield return "stages";
        }
    }

    /// <summary>This key, then those of the records that keep more and so serve as well.</summary>
    public IEnumerable<RecordKey> Serving()
    {
        for (var kinds = OutputKinds.None; kinds <= Shapes.Kinds; kinds++)
        {
            if ((kinds & Kept) == Kept && (kinds & ~Shapes.Kinds) == OutputKinds.None)
                yield return this with { Kept = kinds };
        }
    }

    /// <exception cref="ArgumentException">A part of the key contradicts another.</exception>
    public void Check()
    {
        if (Rows < 1 || Rows > int.MaxValue)
            throw new ArgumentException($"A teacher record needs 1 to {int.MaxValue} rows; was {Rows}.");
        if (Kept == OutputKinds.None || (Kept & ~Shapes.Kinds) != OutputKinds.None)
            throw new ArgumentException($"A teacher that gives {Shapes.Kinds} cannot have {Kept} kept.");
        if (TopK is { } k && (k < 1 || k >= Shapes.Classes))
            throw new ArgumentException($"TopK of a teacher record must be at least 1 and less than the number of classes, {Shapes.Classes}; was {k}. Leave it out to keep all.");
    }
}

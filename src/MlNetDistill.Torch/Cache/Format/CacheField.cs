using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Cache;

/// <summary>A column of a teacher cache: the same number of values of one type for each entry.</summary>
/// <param name="Name">Its name in the header.</param>
/// <param name="Output">The output that it is a part of.</param>
/// <param name="Type">Type of its values. Class numbers are unsigned in the file; here they have the signed type of the same width, as TorchSharp has no unsigned one.</param>
/// <param name="Dimensions">Dimensions of one entry.</param>
internal sealed record CacheField(string Name, ModelOutputs Output, ScalarType Type, long[] Dimensions)
{
    // Class numbers up to this many classes fit into unsigned 16-bit integers.
    private const int MaxShortClasses = 1 << 16;

    /// <summary>Bytes of one entry.</summary>
    public int Bytes => checked((int)(Dimensions.Aggregate(1L, (product, d) => product * d) * (Type is ScalarType.Float32 or ScalarType.Int32 ? 4 : 2)));

    /// <summary>Name of the type in the header.</summary>
    public string TypeName => Type switch
    {
        ScalarType.Float32 => "float32",
        ScalarType.Float16 => "float16",
        ScalarType.Int16 => "uint16",
        _ => "uint32",
    };

    /// <summary>The columns of a teacher cache, in the order of the file.</summary>
    public static IReadOnlyList<CacheField> CreateAll(CacheFileKey key)
    {
        var value = key.Precision == CachePrecision.Half ? ScalarType.Float16 : ScalarType.Float32;
        var fields = new List<CacheField>();
        if (key.Kept.HasFlag(ModelOutputs.Logits) && key.TopK is { } k)
        {
            fields.Add(new("top classes", ModelOutputs.Logits, key.Shapes.LogitCount <= MaxShortClasses ? ScalarType.Int16 : ScalarType.Int32, [k]));
            fields.Add(new("top logits", ModelOutputs.Logits, value, [k]));
            fields.Add(new("log-sum-exp of the other logits", ModelOutputs.Logits, ScalarType.Float32, [1]));
        }
        else if (key.Kept.HasFlag(ModelOutputs.Logits))
        {
            fields.Add(new("logits", ModelOutputs.Logits, value, [key.Shapes.LogitCount]));
        }

        if (key.Kept.HasFlag(ModelOutputs.Embedding))
            fields.Add(new("embedding", ModelOutputs.Embedding, value, [key.Shapes.EmbeddingLength!.Value]));
        if (key.Kept.HasFlag(ModelOutputs.StageFeatures))
            fields.AddRange(key.Shapes.StageFeatures.Select((dimensions, i) => new CacheField($"stage feature {i + 1}", ModelOutputs.StageFeatures, value, dimensions)));
        return fields;
    }
}

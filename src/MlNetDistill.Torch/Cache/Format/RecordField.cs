using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Cache;

/// <summary>A column of a record: the same number of values of one type for each answer.</summary>
/// <param name="Name">Its name in the header.</param>
/// <param name="Output">The output it is of.</param>
/// <param name="Type">Type of its values. Class numbers, which have no sign in the file, have that of as many bits: TorchSharp has none without sign.</param>
/// <param name="Dimensions">Dimensions of one answer.</param>
internal sealed record RecordField(string Name, OutputKinds Output, ScalarType Type, long[] Dimensions)
{
    // The values of 65536 classes fit into 16 bits without a sign.
    private const int MostShortClasses = 1 << 16;

    /// <summary>Bytes of one answer.</summary>
    public int Bytes => checked((int)(Dimensions.Aggregate(1L, (product, d) => product * d) * (Type is ScalarType.Float32 or ScalarType.Int32 ? 4 : 2)));

    /// <summary>Name of the type in the header.</summary>
    public string TypeName => Type switch
    {
        ScalarType.Float32 => "float32",
        ScalarType.Float16 => "float16",
        ScalarType.Int16 => "uint16",
        _ => "uint32",
    };

    /// <summary>The columns of a record, in the order of the file.</summary>
    public static IReadOnlyList<RecordField> Of(RecordKey key)
    {
        var value = key.Precision == RecordPrecision.Half ? ScalarType.Float16 : ScalarType.Float32;
        var fields = new List<RecordField>();
        if (key.Kept.HasFlag(OutputKinds.Logits) && key.TopK is { } k)
        {
            fields.Add(new("top classes", OutputKinds.Logits, key.Shapes.Classes <= MostShortClasses ? ScalarType.Int16 : ScalarType.Int32, [k]));
            fields.Add(new("top logits", OutputKinds.Logits, value, [k]));
            fields.Add(new("log-sum-exp of the other logits", OutputKinds.Logits, ScalarType.Float32, [1]));
        }
        else if (key.Kept.HasFlag(OutputKinds.Logits))
        {
            fields.Add(new("logits", OutputKinds.Logits, value, [key.Shapes.Classes]));
        }

        if (key.Kept.HasFlag(OutputKinds.Embedding))
            fields.Add(new("embedding", OutputKinds.Embedding, value, [key.Shapes.EmbeddingLength!.Value]));
        if (key.Kept.HasFlag(OutputKinds.StageFeatures))
            fields.AddRange(key.Shapes.StageFeatures.Select((dimensions, i) => new RecordField($"stage feature {i + 1}", OutputKinds.StageFeatures, value, dimensions)));
        return fields;
    }
}

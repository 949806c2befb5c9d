using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Alignment;

/// <summary>The classes of a label column: their number and their names.</summary>
/// <param name="Count">K, the count of the key type.</param>
/// <param name="Names">The key values as text, or null where the key column has none.</param>
internal sealed record ClassLabels(int Count, IReadOnlyList<string>? Names)
{
    /// <summary>Reads the classes of a key column.</summary>
    public static ClassLabels FromKeyColumn(DataViewSchema.Column label) =>
        new((int)((KeyDataViewType)label.Type).Count, AnnotatedNames.Read(label, AnnotatedNames.KeyValues));

    /// <summary>A class's name in messages: its key value, or its index from 0.</summary>
    public string NameOf(int index) => Names?[index] ?? index.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Reads annotations that hold a value of any type for each class, as text.</summary>
internal static class AnnotatedNames
{
    public const string KeyValues = "KeyValues";
    public const string TrainingLabelValues = "TrainingLabelValues";
    public const string SlotNames = "SlotNames";

    private static readonly Dictionary<Type, AnnotationReader> Readers = new()
    {
        [typeof(ReadOnlyMemory<char>)] = CreateReader<ReadOnlyMemory<char>>(),
        [typeof(bool)] = CreateReader<bool>(),
        [typeof(float)] = CreateReader<float>(),
        [typeof(double)] = CreateReader<double>(),
        [typeof(sbyte)] = CreateReader<sbyte>(),
        [typeof(byte)] = CreateReader<byte>(),
        [typeof(short)] = CreateReader<short>(),
        [typeof(ushort)] = CreateReader<ushort>(),
        [typeof(int)] = CreateReader<int>(),
        [typeof(uint)] = CreateReader<uint>(),
        [typeof(long)] = CreateReader<long>(),
        [typeof(ulong)] = CreateReader<ulong>(),
        [typeof(DateTime)] = CreateReader<DateTime>(),
        [typeof(DateTimeOffset)] = CreateReader<DateTimeOffset>(),
        [typeof(TimeSpan)] = CreateReader<TimeSpan>(),
    };

    /// <summary>The values of an annotation as text, or null where the column has no such annotation.</summary>
    public static IReadOnlyList<string>? Read(DataViewSchema.Column column, string annotation)
    {
        var type = column.Annotations.Schema.GetColumnOrNull(annotation)?.Type;
        return type is VectorDataViewType vector && Readers.TryGetValue(vector.ItemType.RawType, out var reader)
            ? reader.Read(column.Annotations, annotation)
            : null;
    }

    /// <summary>The class names in the annotations of a score column, or null.</summary>
    public static IReadOnlyList<string>? ReadClassNames(DataViewSchema.Column scores) => Read(scores, TrainingLabelValues) ?? Read(scores, SlotNames);

    /// <summary>Adds the values of an annotation as the values of a key.</summary>
    public static void AddAsKeyValues(this DataViewSchema.Annotations.Builder builder, DataViewSchema.Column column, string annotation)
    {
        var type = (VectorDataViewType)column.Annotations.Schema[annotation].Type;
        Readers[type.ItemType.RawType].Copy(column.Annotations, annotation, type, builder);
    }

    private static AnnotationReader CreateReader<T>() => new(Values<T>, (annotations, name, type, builder) => builder.Add(
        KeyValues, new VectorDataViewType((PrimitiveDataViewType)type.ItemType, type.Size), (ref VBuffer<T> values) => annotations.GetValue(name, ref values)));

    private static string[] Values<T>(DataViewSchema.Annotations annotations, string name)
    {
        VBuffer<T> values = default;
        annotations.GetValue(name, ref values);
        return [.. values.DenseValues().Select(v => Convert.ToString(v, CultureInfo.InvariantCulture) ?? "")];
    }

    private sealed record AnnotationReader(
        Func<DataViewSchema.Annotations, string, string[]> Read,
        Action<DataViewSchema.Annotations, string, VectorDataViewType, DataViewSchema.Annotations.Builder> Copy);
}

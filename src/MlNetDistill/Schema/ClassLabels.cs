using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Schema;

/// <summary>The classes of a label column: how many, and what they are called.</summary>
/// <param name="Count">K, the count of the key type.</param>
/// <param name="Names">The key values as text, or null where the key column has none.</param>
internal sealed record ClassLabels(int Count, IReadOnlyList<string>? Names)
{
    /// <summary>Reads the classes of a key column.</summary>
    public static ClassLabels Of(DataViewSchema.Column label) =>
        new((int)((KeyDataViewType)label.Type).Count, AnnotatedNames.Read(label, AnnotatedNames.KeyValues));

    /// <summary>What a class is called in messages: its key value, or its index from 0.</summary>
    public string NameOf(int index) => Names?[index] ?? index.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Annotations that hold one value for each class, of whatever type, as text.</summary>
internal static class AnnotatedNames
{
    public const string KeyValues = "KeyValues";
    public const string TrainingLabelValues = "TrainingLabelValues";
    public const string SlotNames = "SlotNames";

    private static readonly Dictionary<Type, Func<DataViewSchema.Annotations, string, string[]>> Readers = new()
    {
        [typeof(ReadOnlyMemory<char>)] = Values<ReadOnlyMemory<char>>,
        [typeof(bool)] = Values<bool>,
        [typeof(float)] = Values<float>,
        [typeof(double)] = Values<double>,
        [typeof(sbyte)] = Values<sbyte>,
        [typeof(byte)] = Values<byte>,
        [typeof(short)] = Values<short>,
        [typeof(ushort)] = Values<ushort>,
        [typeof(int)] = Values<int>,
        [typeof(uint)] = Values<uint>,
        [typeof(long)] = Values<long>,
        [typeof(ulong)] = Values<ulong>,
        [typeof(DateTime)] = Values<DateTime>,
        [typeof(DateTimeOffset)] = Values<DateTimeOffset>,
        [typeof(TimeSpan)] = Values<TimeSpan>,
    };

    /// <summary>The values of an annotation as text, or null where the column has no such annotation.</summary>
    public static IReadOnlyList<string>? Read(DataViewSchema.Column column, string annotation)
    {
        var type = column.Annotations.Schema.GetColumnOrNull(annotation)?.Type;
        return type is VectorDataViewType vector && Readers.TryGetValue(vector.ItemType.RawType, out var reader)
            ? reader(column.Annotations, annotation)
            : null;
    }

    private static string[] Values<T>(DataViewSchema.Annotations annotations, string name)
    {
        VBuffer<T> values = default;
        annotations.GetValue(name, ref values);
        return [.. values.DenseValues().Select(v => Convert.ToString(v, CultureInfo.InvariantCulture) ?? "")];
    }
}

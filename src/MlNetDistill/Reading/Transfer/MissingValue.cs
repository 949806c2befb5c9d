using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Reading;

/// <summary>Missing values: NaN, an empty text, a key without value; for other types, which have none, the default.</summary>
internal static class MissingValue
{
    /// <summary>A getter that always gives a missing value; for a vector, one of its length without entries.</summary>
    public static ValueGetter<TValue> CreateGetter<TValue>(DataViewSchema.Column column)
    {
        if (column.Type is VectorDataViewType vector)
        {
            var empty = (TValue)Activator.CreateInstance(typeof(TValue), vector.Size, 0, null, null)!;
            return (ref TValue value) => value = empty;
        }

        TValue missing = typeof(TValue) == typeof(float) ? (TValue)(object)float.NaN : typeof(TValue) == typeof(double) ? (TValue)(object)double.NaN : default!;
        return (ref TValue value) => value = missing;
    }
}

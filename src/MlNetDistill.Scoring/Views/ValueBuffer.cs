using Microsoft.ML;

namespace MlNetDistill.Views;

/// <summary>Single values: numbers, text, keys, images.</summary>
internal sealed class ValueBuffer<T>(DataViewRowCursor input, DataViewSchema.Column column, int rows) : ColumnBuffer
{
    private readonly ValueGetter<T> _get = input.GetGetter<T>(column);
    private readonly T[] _values = new T[rows];

    public override void Read(int row)
    {
        // Some getters dispose the image that they are given, which the reader of an earlier row may still use.
        T value = default!;
        _get(ref value);
        _values[row] = value;
    }

    public override Delegate CreateGetter(CurrentRow current) => (ValueGetter<T>)((ref T value) => value = _values[current.Required]);
}

using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Views;

/// <summary>Vectors, whose memory is used again for the next batch.</summary>
internal sealed class VectorBuffer<T>(DataViewRowCursor input, DataViewSchema.Column column, int rows) : ColumnBuffer
{
    private readonly ValueGetter<VBuffer<T>> _get = input.GetGetter<VBuffer<T>>(column);
    private readonly VBuffer<T>[] _values = new VBuffer<T>[rows];

    /// <summary>The value of a row of the batch.</summary>
    public ref readonly VBuffer<T> this[int row] => ref _values[row];

    public override void Read(int row) => _get(ref _values[row]);

    public override Delegate CreateGetter(CurrentRow current) => (ValueGetter<VBuffer<T>>)((ref VBuffer<T> value) => _values[current.Required].CopyTo(ref value));
}

using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Computing;

namespace MlNetDistill.Views;

/// <summary>Copies features of a type.</summary>
/// <param name="input">Has them.</param>
/// <param name="column">Their column.</param>
/// <param name="batch">Gets them.</param>
/// <param name="buffer">Where they are read already, because they are asked for, too; null if not.</param>
internal sealed class FeatureReader<T>(DataViewRow input, DataViewSchema.Column column, Batch<T> batch, VectorBuffer<T>? buffer) : FeatureReader
    where T : unmanaged
{
    private readonly ValueGetter<VBuffer<T>>? _get = buffer is null ? input.GetGetter<VBuffer<T>>(column) : null;
    private VBuffer<T> _value;

    public override void Read(int row, long position)
    {
        if (_get is null)
        {
            Copy(in buffer![row], row, position);
            return;
        }

        _get(ref _value);
        Copy(in _value, row, position);
    }

    private void Copy(in VBuffer<T> value, int row, long position)
    {
        if (value.Length != batch.FeatureLength)
        {
            throw new InvalidOperationException(FormattableString.Invariant(
                $"Column '{column.Name}' must hold {batch.FeatureLength} values in each row; row {position} (counted from 0) holds {value.Length}. ") +
                "Correct or leave out the row.");
        }

        value.CopyTo(batch[row]);
    }
}

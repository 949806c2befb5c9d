using System.Numerics;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Reading;

/// <summary>A column of numbers, or of vectors of them: an attribute for each number.</summary>
internal sealed class NumberColumn<T>(bool isVector, int length, bool isCategorical) : ParentColumn
    where T : unmanaged, INumber<T>
{
    private static readonly bool IsWhole = typeof(T) != typeof(float) && typeof(T) != typeof(double);

    // One array for all rows could be too long.
    private const int BlockValues = 1 << 18;
    private readonly int _blockRows = Math.Max(1, BlockValues / Math.Max(1, length));
    private readonly List<T[]> _blocks = [];
    private int _rows;

    public override int Attributes => length;

    public override bool IsNumeric => !isCategorical;

    public override Action CreateReader(DataViewRowCursor cursor)
    {
        if (!isVector)
        {
            var get = cursor.GetGetter<T>(cursor.Schema[Column.Index]);
            return () => get(ref NextRow()[0]);
        }

        var getVector = cursor.GetGetter<VBuffer<T>>(cursor.Schema[Column.Index]);
        VBuffer<T> values = default;
        return () =>
        {
            getVector(ref values);
            if (values.Length != length)
                throw VectorLength.CreateError($"Column '{Column.Name}'", length, values.Length, $"row {_rows} (counted from 0) of those that rows are made up from", "Correct the row, or name the column in TransferRows.FixedColumns.");
            values.CopyTo(NextRow());
        };
    }

    public override double Get(int row, int slot) => double.CreateSaturating(Row(row)[slot]);

    public override ValueGetter<TValue> CreateGetter<TValue>(MixRule rule) => isVector
        ? Cast<TValue>((ValueGetter<VBuffer<T>>)((ref VBuffer<T> value) =>
        {
            var editor = VBufferEditor.Create(ref value, length);
            for (var slot = 0; slot < length; slot++)
                editor.Values[slot] = Mix(rule, slot);
            value = editor.Commit();
        }))
        : Cast<TValue>((ValueGetter<T>)((ref T value) => value = Mix(rule, 0)));

    private T Mix(MixRule rule, int slot)
    {
        var attribute = FirstAttribute + slot;
        if (isCategorical)
            return Row(rule.PickRow(attribute))[slot];
        var own = Get(rule.Row, slot);
        var mixed = rule.MixNumber(attribute, this, slot);
        // A number that is not changed stays as it is, though a double may not hold it.
        return mixed.Equals(own) ? Row(rule.Row)[slot] : T.CreateSaturating(IsWhole ? Math.Round(mixed) : mixed);
    }

    private Span<T> NextRow()
    {
        if (_rows % _blockRows == 0)
            _blocks.Add(new T[_blockRows * length]);
        return Row(_rows++);
    }

    private Span<T> Row(int row) => _blocks[row / _blockRows].AsSpan(row % _blockRows * length, length);
}

using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Reading;

/// <summary>A column that a teacher reads and the student does not, as a tensor in the order of the training set.</summary>
internal static class TeacherColumn
{
    public static bool IsByte(DataViewSchema.Column column) => ((VectorDataViewType)column.Type).ItemType.RawType == typeof(byte);

    /// <summary>N×(shape of a row), bytes or 32-bit floats, on the set's device; the caller disposes it.</summary>
    /// <exception cref="InvalidOperationException">A row of the set is not in the data, or has no whole vector there.</exception>
    public static Tensor Read(IDataView data, IRowSource set, DataViewSchema.Column column, RowLayout layout, CancellationToken cancellation) =>
        UnreadableRow.Named(() => IsByte(column)
            ? Read<byte>(data, set, column, layout, cancellation, ScalarType.Byte)
            : Read<float>(data, set, column, layout, cancellation, ScalarType.Float32));

    private static Tensor Read<T>(IDataView data, IRowSource set, DataViewSchema.Column column, RowLayout layout, CancellationToken cancellation, ScalarType type)
        where T : unmanaged
    {
        var asked = set.RowIds.ToHashSet();
        using var values = new TensorBuilder<T>(type, layout.Shape.Dimensions, set.Count);
        var rowOf = new Dictionary<RowId, long>();
        var isInOrder = true;
        using var cursor = new ViewColumns(data, [column], row => $"Row {row} (counted from 0) of the data cannot be read") { Wanted = asked }.Open();
        var getId = cursor.GetIdGetter();
        var get = cursor.GetGetter<VBuffer<T>>(column);
        VBuffer<T> buffer = default;
        DataViewRowId id = default;
        for (var row = 0L; cursor.MoveNext(); row++)
        {
            cancellation.ThrowIfCancellationRequested();
            getId(ref id);
            var found = new RowId(id.Low, id.High);
            if (!asked.Contains(found) || !rowOf.TryAdd(found, rowOf.Count))
                continue;
            get(ref buffer);
            if (buffer.Length != layout.Shape.Length)
            {
                throw VectorLength.Fault(
                    $"Column '{column.Name}', which the teacher reads,", layout.Shape.Length, buffer.Length, $"row {row} (counted from 0)",
                    "Correct the steps that make the column, or set MissingFeatures to Drop to leave such rows out.");
            }

            isInOrder &= set.RowIds[values.Rows] == found;
            layout.Copy(buffer, values.NextRow());
        }

        using var scope = NewDisposeScope();
        var rows = values.ToTensor();
        // As a rule: then nothing is copied.
        if (isInOrder && rows.shape[0] == set.Count)
            return Moved(rows, rows.On(set.Device));
        var order = tensor([.. set.RowIds.Select(row => rowOf.TryGetValue(row, out var at) ? at : throw new InvalidOperationException(
            $"The data gave row id {row} when the student's features were read, and not when column '{column.Name}' was: a view must give the same rows each time. Cache it with mlContext.Data.Cache."))], device: CPU);
        return Moved(rows, rows.index_select(0, order).On(set.Device));
    }

    private static Tensor Moved(Tensor from, Tensor to)
    {
        if (!ReferenceEquals(from, to))
            from.Dispose();
        return to.DetachFromDisposeScope();
    }
}

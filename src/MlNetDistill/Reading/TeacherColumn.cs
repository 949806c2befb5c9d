using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Reading;

/// <summary>A vector column that a teacher reads and the student does not.</summary>
/// <param name="Column">The column.</param>
/// <param name="HoldsScores">Whether it holds the teacher's outputs, which must be numbers. A teacher's input may be NaN if the teacher can use it.</param>
internal sealed record TeacherColumn(DataViewSchema.Column Column, bool HoldsScores = false)
{
    /// <summary>Whether its values must be finite as well: an embedding. A score may be infinite, such as the logarithm of a probability of 0.</summary>
    public bool MustBeFinite { get; init; }

    /// <summary>Whether its values are bytes.</summary>
    public bool IsByte => ItemType == typeof(byte);

    /// <summary>Whether teachers can read such a column; if not, preparing the teacher throws.</summary>
    public bool IsReadable => Column.Type is VectorDataViewType { Size: > 0 } && (IsByte || ItemType == typeof(float));

    private Type ItemType => ((VectorDataViewType)Column.Type).ItemType.RawType;

    /// <summary>Checks whether the row at which the cursor stands has usable values.</summary>
    public Func<bool> CreateCheck(DataViewRowCursor cursor) => IsByte ? CreateCheck<byte>(cursor) : CreateCheck<float>(cursor);

    /// <summary>The values in the order of the training set: N×(shape of a row), bytes or 32-bit floats, on the set's device; the caller disposes it.</summary>
    /// <exception cref="InvalidOperationException">A row of the set is not in the data, or has no whole vector there.</exception>
    public Tensor Read(IDataView data, IRowSource set, RowLayout layout, CancellationToken cancellation) => UnreadableRow.LocateFailure(() => IsByte
        ? Read<byte>(data, set, layout, cancellation, ScalarType.Byte)
        : Read<float>(data, set, layout, cancellation, ScalarType.Float32));

    private Func<bool> CreateCheck<T>(DataViewRowCursor cursor)
        where T : unmanaged
    {
        var get = cursor.GetGetter<VBuffer<T>>(Column);
        var length = ((VectorDataViewType)Column.Type).Size;
        VBuffer<T> values = default;
        return () =>
        {
            get(ref values);
            return values.Length == length && !(HoldsScores && HasUnusable(values.GetValues()));
        };
    }

    private bool HasUnusable<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        if (typeof(T) != typeof(float))
            return false;
        foreach (var value in MemoryMarshal.Cast<T, float>(values))
        {
            if (MustBeFinite ? !float.IsFinite(value) : float.IsNaN(value))
                return true;
        }

        return false;
    }

    private Tensor Read<T>(IDataView data, IRowSource set, RowLayout layout, CancellationToken cancellation, ScalarType type)
        where T : unmanaged
    {
        var wanted = new RowIdIndex(set.RowIds, "A teacher that reads a column of its own");
        using var values = new TensorBuilder<T>(type, layout.Shape.Dimensions, set.Count, $"The values of the column '{Column.Name}', which the teacher reads,");
        // About 40 bytes a row until all are read, beside the vectors of the column.
        var rowOf = new Dictionary<RowId, long>();
        var isInOrder = true;
        using var cursor = new ViewColumns(data, [Column], row => $"Row {row} (counted from 0) of the data cannot be read") { Wanted = wanted }.Open();
        var getId = cursor.CreateIdReader();
        var get = cursor.GetGetter<VBuffer<T>>(Column);
        VBuffer<T> buffer = default;
        for (var row = 0L; cursor.MoveNext(); row++)
        {
            cancellation.ThrowIfCancellationRequested();
            var found = getId();
            if (!wanted.Contains(found) || !rowOf.TryAdd(found, rowOf.Count))
                continue;
            get(ref buffer);
            if (buffer.Length != layout.Shape.Length)
            {
                throw VectorLength.CreateError(
                    $"Column '{Column.Name}', which the teacher reads,", layout.Shape.Length, buffer.Length, $"row {row} (counted from 0)",
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
            $"The data gave row id {row} when the student's features were read, and not when column '{Column.Name}' was: a view must give the same rows each time. Cache it with mlContext.Data.Cache."))], device: CPU);
        return Moved(rows, rows.index_select(0, order).On(set.Device));
    }

    private static Tensor Moved(Tensor from, Tensor to)
    {
        if (!ReferenceEquals(from, to))
            from.Dispose();
        return to.DetachFromDisposeScope();
    }
}

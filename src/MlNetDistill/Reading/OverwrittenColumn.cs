using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Reading;

/// <summary>
/// Finds out whether a step before a view overwrote a column, that is, wrote other values under its name. Some steps (SelectColumns, DropColumns) remove the hidden
/// column from the schema, so the views before them are searched too.
/// </summary>
internal static class OverwrittenColumn
{
    /// <summary>Whether an earlier view has a column of the same name and type with other values. If the values are the same, all rows are read.</summary>
    public static bool IsOverwritten(IDataView data, DataViewSchema.Column column, CancellationToken cancellation)
    {
        var wasDropped = false;
        for (IDataView? view = data; view is not null; view = ViewSource.Find(view))
        {
            var now = view.Schema.GetColumnOrNull(column.Name);
            // It was dropped, and later added again with the name and type that the teacher reads.
            if (wasDropped && now is { } earlier && AreAlike(earlier.Type, column.Type))
                return true;
            wasDropped |= now is null;
            if (now is { } visible && view.Schema.Any(c => c.IsHidden && c.Name == column.Name && AreAlike(c.Type, visible.Type) && Differ(view, c, visible, cancellation)))
                return true;
        }

        return false;
    }

    // The teacher was not fitted on a column of another type.
    private static bool AreAlike(DataViewType a, DataViewType b) => a is VectorDataViewType x && b is VectorDataViewType y
        ? x.Size == y.Size && x.ItemType.Equals(y.ItemType)
        : a.Equals(b);

    private static bool Differ(IDataView view, DataViewSchema.Column a, DataViewSchema.Column b, CancellationToken cancellation)
    {
        if (!RowBytes.CanHash(a))
            return true;
        using var cursor = new ViewColumns(view, [a, b], row => $"Row {row} (counted from 0) of the data cannot be read").OpenOnOneThread();
        var (before, after) = (new RowBytes(cursor, [a]), new RowBytes(cursor, [b]));
        while (cursor.MoveNext())
        {
            cancellation.ThrowIfCancellationRequested();
            if (DifferHere())
                return true;
        }

        return false;

        bool DifferHere()
        {
            try
            {
                return !before.ReadRow().SequenceEqual(after.ReadRow());
            }
            catch (ViewReadException)
            {
                // The row was left out of training; if not, reading the teacher's columns throws.
                return false;
            }
        }
    }
}

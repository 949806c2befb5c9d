using System.Runtime.CompilerServices;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Reading;

/// <summary>
/// Finds out whether a step before a view overwrote a column, that is, wrote other values under its name. Some steps (SelectColumns, DropColumns) remove the hidden
/// column from the schema, so the views before them are searched too.
/// </summary>
internal static class OverwrittenColumn
{
    // ML.NET keeps the view that a view was made from internal: in ML.NET 5.0.0 a step's view has it as IDataTransform.Source, and a cache as a field.
    // In a version without these, a view has no source.
    private const string Transform = "Microsoft.ML.Data.IDataTransform, Microsoft.ML.Data";
    private const string Cache = "Microsoft.ML.Data.CacheDataView, Microsoft.ML.Data";
    private static readonly Type? TransformType = Type.GetType(Transform);
    private static readonly Type? CacheType = Type.GetType(Cache);

    /// <summary>Whether an earlier view has a column of the same name and type with other values. If the values are the same, all rows are read.</summary>
    public static bool IsOverwritten(IDataView data, DataViewSchema.Column column, CancellationToken cancellation)
    {
        var wasDropped = false;
        for (IDataView? view = data; view is not null; view = SourceOf(view))
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

    /// <summary>The view that a view was made from; null for a view of data, and for one that does not expose it.</summary>
    private static IDataView? SourceOf(IDataView view) => view switch
    {
        RepeatedRows repeated => repeated.Data,
        FilteredRows filtered => filtered.Data,
        _ when TransformType?.IsInstanceOfType(view) == true => Source(view),
        _ when CacheType?.IsInstanceOfType(view) == true => Cached(view),
        _ => null,
    };

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Source")]
    private static extern IDataView Source([UnsafeAccessorType(Transform)] object view);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_subsetInput")]
    private static extern ref IDataView Cached([UnsafeAccessorType(Cache)] object view);
}

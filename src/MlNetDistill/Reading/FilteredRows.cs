using Microsoft.ML;
using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>The rows of a view whose ids are wanted, under their own ids and in any order that the view can give.</summary>
/// <param name="data">The view.</param>
/// <param name="isWanted">Which rows.</param>
/// <param name="onOneThread">
/// Whether one cursor must not run ahead on several threads: those of ML.NET compute rows that are not wanted too, and fail where one cannot be.
/// </param>
internal sealed class FilteredRows(IDataView data, Func<RowId, bool> isWanted, bool onOneThread = false) : IDataView
{
    /// <summary>The whole view.</summary>
    public IDataView Data => data;

    public bool CanShuffle => data.CanShuffle;

    public DataViewSchema Schema => data.Schema;

    public long? GetRowCount() => null;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        new FilteredCursor(onOneThread ? data.GetRowCursorSet(columnsNeeded, 1, rand)[0] : data.GetRowCursor(columnsNeeded, rand), isWanted);

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [.. data.GetRowCursorSet(columnsNeeded, n, rand).Select(cursor => new FilteredCursor(cursor, isWanted))];
}

using Microsoft.ML;
using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>
/// Those rows of a view whose ids are wanted, with their own ids and in any order that the view supports. With <c>onOneThread</c> a single cursor does not read
/// ahead: ML.NET's threads also compute the rows that are not wanted, and fail if one of them cannot be computed.
/// </summary>
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

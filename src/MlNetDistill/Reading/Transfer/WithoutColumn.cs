using Microsoft.ML;

namespace MlNetDistill.Reading;

/// <summary>A view in which a column is missing in every row, whatever the steps before make of it. It has the very schema of the view.</summary>
internal sealed class WithoutColumn(IDataView data, DataViewSchema.Column missing) : IDataView
{
    public bool CanShuffle => false;

    public DataViewSchema Schema => data.Schema;

    public long? GetRowCount() => data.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        List<DataViewSchema.Column> needed = [.. columnsNeeded];
        return new Cursor(data.GetRowCursor(Read(needed)), needed, missing);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        List<DataViewSchema.Column> needed = [.. columnsNeeded];
        return [.. data.GetRowCursorSet(Read(needed), n).Select(cursor => new Cursor(cursor, needed, missing))];
    }

    private IEnumerable<DataViewSchema.Column> Read(List<DataViewSchema.Column> needed) => needed.Where(c => c.Index != missing.Index);

    private sealed class Cursor(DataViewRowCursor input, List<DataViewSchema.Column> needed, DataViewSchema.Column missing) : CursorOver(input)
    {
        public override bool IsColumnActive(DataViewSchema.Column column) => needed.Exists(c => c.Index == column.Index);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) =>
            column.Index == missing.Index ? MissingValue.CreateGetter<TValue>(column) : Input.GetGetter<TValue>(column);
    }
}

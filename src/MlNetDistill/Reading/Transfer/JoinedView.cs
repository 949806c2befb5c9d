using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Reading;

/// <summary>The rows of several views with the same columns, one view after another.</summary>
/// <param name="schema">The columns, which every view has in this order.</param>
/// <param name="parts">The views.</param>
/// <param name="idTag">The high half of the ids, if rows are numbered anew; null to keep their ids.</param>
internal sealed class JoinedView(DataViewSchema schema, IReadOnlyList<IDataView> parts, ulong? idTag = null) : IDataView
{
    public bool CanShuffle => false;

    public DataViewSchema Schema => schema;

    public long? GetRowCount() => parts.Aggregate((long?)0, (sum, part) => sum + part.GetRowCount());

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) => new Cursor(schema, parts, idTag, [.. columnsNeeded.Select(c => c.Index)], isOneThread: false);

    // One cursor, whose rows ML.NET divides among its threads.
    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [new Cursor(schema, parts, idTag, [.. columnsNeeded.Select(c => c.Index)], isOneThread: n == 1)];

    private sealed class Cursor(DataViewSchema schema, IReadOnlyList<IDataView> parts, ulong? idTag, HashSet<int> needed, bool isOneThread) : DataViewRowCursor
    {
        private DataViewRowCursor? _input;
        private int _part = -1;
        private long _position = -1;

        public override long Position => _position;

        public override long Batch => 0;

        public override DataViewSchema Schema => schema;

        public override bool MoveNext()
        {
            while (_part < parts.Count)
            {
                if (_input?.MoveNext() == true)
                {
                    _position++;
                    return true;
                }

                _input?.Dispose();
                _input = null;
                if (++_part < parts.Count)
                    _input = Open(parts[_part]);
            }

            _position = -1;
            return false;
        }

        public override bool IsColumnActive(DataViewSchema.Column column) => needed.Contains(column.Index);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => RebindingGetter.Create<TValue>(() => _input!, column.Index);

        public override ValueGetter<DataViewRowId> GetIdGetter() => idTag is { } tag
            ? (ref DataViewRowId id) => id = new DataViewRowId((ulong)_position, tag)
            : RebindingGetter.Create(() => _input!, cursor => cursor.GetIdGetter());

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _input?.Dispose();
            base.Dispose(disposing);
        }

        private DataViewRowCursor Open(IDataView view)
        {
            var columns = view.Schema.Where(c => needed.Contains(c.Index));
            return isOneThread ? view.GetRowCursorSet(columns, 1)[0] : view.GetRowCursor(columns);
        }
    }
}

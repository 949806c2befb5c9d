using System.Diagnostics;
using Microsoft.ML;
using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>
/// Some rows of a view, under their own ids. A model that is given the whole view scores all of it, whichever rows are looked at: ML.NET's cursors work ahead in
/// parallel. These read on one thread, where only what is asked for is computed.
/// </summary>
internal sealed class ChosenRows(IDataView data, IReadOnlySet<RowId> chosen) : IDataView
{
    private long _passing;

    /// <summary>Time spent so far on passing over rows that were not chosen.</summary>
    public TimeSpan TimePassing => Stopwatch.GetElapsedTime(0, Interlocked.Read(ref _passing));

    public bool CanShuffle => false;

    public DataViewSchema Schema => data.Schema;

    public long? GetRowCount() => null;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        new Cursor(this, data.GetRowCursorSet(columnsNeeded, 1)[0], [.. chosen]);

    // Fewer cursors than asked for are allowed.
    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) => [GetRowCursor(columnsNeeded)];

    private sealed class Cursor(ChosenRows rows, DataViewRowCursor input, HashSet<RowId> left) : FilteredCursor(input, left.Remove)
    {
        public override bool MoveNext()
        {
            var begin = Stopwatch.GetTimestamp();
            var found = left.Count > 0 && base.MoveNext();
            Interlocked.Add(ref rows._passing, Stopwatch.GetTimestamp() - begin);
            return found;
        }
    }
}

using System.Diagnostics;
using Microsoft.ML;
using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>
/// Some rows of a view, with their own ids. ML.NET's cursors read ahead in parallel, so that a model over the whole view would score all rows. This view reads on
/// one thread, where only what is requested is computed, and ends when all rows were found.
/// </summary>
internal sealed class ChosenRows(IDataView data, IReadOnlySet<RowId> chosen) : IDataView
{
    private long _passing;

    /// <summary>Time spent so far on reading to the next chosen row.</summary>
    public TimeSpan TimePassing => Stopwatch.GetElapsedTime(0, Interlocked.Read(ref _passing));

    public bool CanShuffle => false;

    public DataViewSchema Schema => data.Schema;

    public long? GetRowCount() => null;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        new Cursor(this, data.GetRowCursorSet(columnsNeeded, 1)[0], [.. chosen]);

    // A view may give fewer cursors than requested.
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

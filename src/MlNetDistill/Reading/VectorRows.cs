using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>Reads vector columns of known size from a cursor, some rows at a time. Values of rows that are not wanted are not asked for, though ML.NET may compute them, as its cursors run ahead.</summary>
/// <param name="cursor">At the beginning of the rows; stays the caller's.</param>
/// <param name="columns">Vectors of Single.</param>
/// <param name="chunkRows">Rows at a time.</param>
/// <param name="fault">The error for a row whose vector in a column (by its position) has so many values and not those of the column's type.</param>
internal sealed class VectorRows(
    DataViewRowCursor cursor, IReadOnlyList<DataViewSchema.Column> columns, int chunkRows, Func<int, long, int, InvalidOperationException> fault)
{
    /// <summary>For each chunk: row ids, row numbers in the view, and for each column all values, row after row (in arrays that are used again).</summary>
    /// <param name="wanted">Which rows to read.</param>
    /// <param name="skip">Wanted rows to pass over first.</param>
    /// <param name="cancellation">Stops the reading.</param>
    public IEnumerable<(RowId[] Ids, long[] Numbers, float[][] Values)> Chunks(IReadOnlySet<RowId> wanted, long skip, CancellationToken cancellation)
    {
        var getId = cursor.GetIdGetter();
        var getters = columns.Select(cursor.GetGetter<VBuffer<float>>).ToArray();
        var widths = columns.Select(column => ((VectorDataViewType)column.Type).Size).ToArray();
        // No more than is wanted, nor than an array holds.
        var rowsAtATime = (int)Math.Min(Math.Min(chunkRows, Math.Max(1, wanted.Count)), Math.Max(1, Array.MaxLength / Math.Max(1, widths.Max())));
        var values = widths.Select(width => new float[width * rowsAtATime]).ToArray();
        var (ids, numbers) = (new List<RowId>(), new List<long>());
        VBuffer<float> buffer = default;
        DataViewRowId id = default;
        for (long row = 0; cursor.MoveNext(); row++)
        {
            cancellation.ThrowIfCancellationRequested();
            getId(ref id);
            var found = new RowId(id.Low, id.High);
            if (!wanted.Contains(found) || skip-- > 0)
                continue;
            for (var i = 0; i < getters.Length; i++)
            {
                getters[i](ref buffer);
                // A short vector would leave what an earlier row had in its place.
                if (buffer.Length != widths[i])
                    throw fault(i, row, buffer.Length);
                buffer.CopyTo(values[i].AsSpan(ids.Count * widths[i], widths[i]));
            }

            ids.Add(found);
            numbers.Add(row);
            if (ids.Count < rowsAtATime)
                continue;
            yield return ([.. ids], [.. numbers], values);
            ids.Clear();
            numbers.Clear();
        }

        if (ids.Count > 0)
            yield return ([.. ids], [.. numbers], values);
    }
}

using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>Counts rows without reading any value of them.</summary>
internal static class RowCount
{
    /// <summary>How many rows of a view are among those asked about.</summary>
    public static long Of(IDataView data, IReadOnlySet<RowId> asked)
    {
        using var cursor = data.GetRowCursor([]);
        var getId = cursor.GetIdGetter();
        DataViewRowId id = default;
        long rows = 0;
        while (cursor.MoveNext())
        {
            getId(ref id);
            rows += asked.Contains(new RowId(id.Low, id.High)) ? 1 : 0;
        }

        return rows;
    }
}

using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>Reads the ids of a cursor's rows.</summary>
internal static class CursorIds
{
    /// <summary>Creates a function that reads the id of the cursor's current row.</summary>
    public static Func<RowId> CreateIdReader(this DataViewRow cursor)
    {
        var get = cursor.GetIdGetter();
        DataViewRowId id = default;
        return () =>
        {
            get(ref id);
            return new RowId(id.Low, id.High);
        };
    }
}

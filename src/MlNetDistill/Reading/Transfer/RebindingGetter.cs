using Microsoft.ML;

namespace MlNetDistill.Reading;

/// <summary>Getters of a cursor that reads one view after another: each is bound again when the next view begins.</summary>
internal static class RebindingGetter
{
    /// <summary>A getter of a column of the cursor that is read now.</summary>
    /// <param name="current">The cursor that is read now.</param>
    /// <param name="column">Index of the column.</param>
    public static ValueGetter<TValue> Create<TValue>(Func<DataViewRowCursor> current, int column) =>
        Create(current, cursor => cursor.GetGetter<TValue>(cursor.Schema[column]));

    /// <summary>A getter that is made anew for each cursor.</summary>
    public static ValueGetter<TValue> Create<TValue>(Func<DataViewRowCursor> current, Func<DataViewRowCursor, ValueGetter<TValue>> bind)
    {
        DataViewRowCursor? bound = null;
        ValueGetter<TValue>? get = null;
        return (ref TValue value) =>
        {
            var cursor = current();
            if (!ReferenceEquals(cursor, bound))
                (bound, get) = (cursor, bind(cursor));
            get!(ref value);
        };
    }
}

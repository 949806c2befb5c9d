using MlNetDistill.Core;

namespace MlNetDistill.Cache;

/// <summary>Finds the cached row of each position by its row id.</summary>
internal static class RowJoin
{
    /// <summary>The cached row of each position; null if both are in the same order.</summary>
    /// <param name="cached">Row ids of the cache.</param>
    /// <param name="order">Row ids by position.</param>
    /// <param name="haveEqualOutputs">Whether two cached rows have equal outputs.</param>
    /// <exception cref="InvalidOperationException">A row is missing in the cache, or is in it twice with different outputs.</exception>
    public static long[]? MapPositions(RowIds cached, RowIds order, Func<int, int, bool> haveEqualOutputs)
    {
        var index = new RowIdIndex(cached, "A teacher cache whose rows are in another order", (first, repeated) =>
        {
            if (!haveEqualOutputs(first, repeated))
                throw new InvalidOperationException($"The teacher returned different outputs for two rows with id {cached[first]}. Row ids must be unique.");
        });
        // Where both are in the same order, no table is needed.
        var rows = order.Count == cached.Count ? null : CreateMap(order.Count);
        for (var i = 0L; i < order.Count; i++)
        {
            // Repeated rows have equal outputs, so that the one at the same position can be used.
            if (rows is null && cached[i] == order[i])
                continue;
            if (index.Find(order[i]) is not (>= 0 and var row))
            {
                throw new InvalidOperationException(
                    $"The teacher returned no outputs for row id {order[i]} (training row {i}); its data view must contain all rows of the training data.");
            }

            if (rows is null)
            {
                rows = CreateMap(order.Count);
                for (var before = 0L; before < i; before++)
                    rows[before] = before;
            }

            rows[i] = row;
        }

        return rows;
    }

    private static long[] CreateMap(long rows)
    {
        RowLimit.Check(rows, "A teacher cache whose rows are in another order");
        return new long[rows];
    }
}

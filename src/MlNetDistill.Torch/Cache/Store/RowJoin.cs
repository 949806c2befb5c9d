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
    public static long[]? MapPositions(IReadOnlyList<RowId> cached, RowIds order, Func<int, int, bool> haveEqualOutputs)
    {
        if (IsRising(order) && cached.Count == order.Count && cached.SequenceEqual(order))
            return null;
        RowLimit.Check(order.Count, "A teacher cache whose rows are in another order");
        var rowOf = new Dictionary<RowId, int>(cached.Count);
        for (var i = 0; i < cached.Count; i++)
        {
            if (!rowOf.TryAdd(cached[i], i) && !haveEqualOutputs(rowOf[cached[i]], i))
                throw new InvalidOperationException($"The teacher returned different outputs for two rows with id {cached[i]}. Row ids must be unique.");
        }

        var rows = new long[order.Count];
        var inOrder = order.Count == cached.Count;
        for (var i = 0; i < rows.Length; i++)
        {
            if (!rowOf.TryGetValue(order[i], out var row))
            {
                throw new InvalidOperationException(
                    $"The teacher returned no outputs for row id {order[i]} (training row {i}); its data view must contain all rows of the training data.");
            }

            // Repeated rows have equal outputs, so that the one at the same position can be used.
            rows[i] = inOrder && cached[i] == order[i] ? i : row;
            inOrder &= rows[i] == i;
        }

        return inOrder ? null : rows;
    }

    // ML.NET's loaders number rows in this way. Then no row id is repeated, and no table is needed to check that.
    private static bool IsRising(RowIds ids)
    {
        for (var i = 1L; i < ids.Count; i++)
        {
            if ((ids[i].High, ids[i].Low).CompareTo((ids[i - 1].High, ids[i - 1].Low)) <= 0)
                return false;
        }

        return true;
    }
}

using MlNetDistill.Core;


namespace MlNetDistill.Cache;

/// <summary>Which row of a record answers for which position: joined by row id, never by position.</summary>
internal static class RowJoin
{
    /// <summary>For each position its row in the record; null where both are in the same order.</summary>
    /// <param name="recorded">Row ids of the record.</param>
    /// <param name="order">Row ids by position.</param>
    /// <param name="same">Whether two rows of the record hold the same answers.</param>
    /// <exception cref="InvalidOperationException">A position's row is not in the record, or a row is in it twice with different answers.</exception>
    public static long[]? Of(IReadOnlyList<RowId> recorded, RowIds order, Func<int, int, bool> same)
    {
        if (IsRising(order) && recorded.Count == order.Count && recorded.SequenceEqual(order))
            return null;
        RowLimit.Check(order.Count, "A teacher cache whose rows are in another order");
        var rowOf = new Dictionary<RowId, int>(recorded.Count);
        for (var i = 0; i < recorded.Count; i++)
        {
            if (!rowOf.TryAdd(recorded[i], i) && !same(rowOf[recorded[i]], i))
                throw new InvalidOperationException($"The teacher answered row id {recorded[i]} twice, differently. Row ids must be unique.");
        }

        var rows = new long[order.Count];
        var inOrder = order.Count == recorded.Count;
        for (var i = 0; i < rows.Length; i++)
        {
            if (!rowOf.TryGetValue(order[i], out var row))
            {
                throw new InvalidOperationException(
                    $"The teacher gave no answer for row id {order[i]} (training row {i}); its data view must hold the rows of the training data.");
            }

            // A repeated row has equal answers wherever it stands.
            rows[i] = inOrder && recorded[i] == order[i] ? i : row;
            inOrder &= rows[i] == i;
        }

        return inOrder ? null : rows;
    }

    // As loaders number rows: none is there twice, and no table is needed to see it.
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

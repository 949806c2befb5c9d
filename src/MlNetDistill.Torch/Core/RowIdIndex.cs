namespace MlNetDistill.Core;

/// <summary>
/// Finds the positions of row ids. Ids that rise, as data loaders number rows, need no memory beyond their own; others take 6 bytes each, a sixth of a dictionary. Ids
/// that are looked up in the order of their positions are found at once.
/// </summary>
internal sealed class RowIdIndex
{
    private readonly RowIds _ids;

    // The position after that of the id in each place, and 0 in a free place; null for rising ids, among which a binary search finds one.
    private readonly int[]? _places;
    private long _next;

    /// <param name="ids">The ids. Of equal ids, one of the positions is found.</param>
    /// <param name="what">The code that has the table, as the subject of a sentence.</param>
    /// <param name="repeated">Called for each id that an earlier position has too, with both positions; null to allow that.</param>
    /// <exception cref="InvalidOperationException">There are too many ids that do not rise.</exception>
    public RowIdIndex(RowIds ids, string what, Action<int, int>? repeated = null)
    {
        _ids = ids;
        if (AreRising(ids))
            return;
        // One place stays free, so that a search ends.
        RowLimit.Check(ids.Count + 1, what);
        _places = new int[Math.Min(ids.Count + (ids.Count / 2) + 1, Array.MaxLength)];
        var position = 0;
        foreach (var id in ids)
        {
            ref var place = ref _places[FindPlace(id)];
            if (place == 0)
                place = position + 1;
            else
                repeated?.Invoke(place - 1, position);
            position++;
        }
    }

    /// <summary>Number of ids.</summary>
    public long Count => _ids.Count;

    /// <summary>An index of a few ids.</summary>
    public static RowIdIndex OfFew(IEnumerable<RowId> ids) => new(RowIds.From(ids), "A query of single rows");

    /// <summary>Whether an id is among these.</summary>
    public bool Contains(RowId id) => Find(id) >= 0;

    /// <summary>The position of an id, or -1.</summary>
    public long Find(RowId id)
    {
        var next = Volatile.Read(ref _next);
        var found = next < Count && _ids[next] == id ? next : _places is null ? Search(id) : (long)_places[FindPlace(id)] - 1;
        if (found >= 0)
            Volatile.Write(ref _next, found + 1);
        return found;
    }

    private static bool AreRising(RowIds ids)
    {
        for (var i = 1L; i < ids.Count; i++)
        {
            if (Compare(ids[i], ids[i - 1]) <= 0)
                return false;
        }

        return true;
    }

    private static int Compare(RowId a, RowId b) => (a.High, a.Low).CompareTo((b.High, b.Low));

    private long Search(RowId id)
    {
        var (low, high) = (0L, Count - 1);
        while (low <= high)
        {
            var middle = low + ((high - low) / 2);
            var order = Compare(_ids[middle], id);
            if (order == 0)
                return middle;
            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }

        return -1;
    }

    /// <summary>The place of an id, or the free place where it would be.</summary>
    private int FindPlace(RowId id)
    {
        var place = (int)Math.BigMul(Mix(id), (ulong)_places!.Length, out _);
        while (_places[place] != 0 && _ids[_places[place] - 1] != id)
            place = place + 1 == _places.Length ? 0 : place + 1;
        return place;
    }

    // Ids are often consecutive numbers; their bits are mixed as in SplitMix64, so that they spread over the table.
    private static ulong Mix(RowId id)
    {
        var bits = id.Low ^ (id.High * 0x9E3779B97F4A7C15) ^ 0x9E3779B97F4A7C15;
        bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
        bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
        return bits ^ (bits >> 31);
    }
}

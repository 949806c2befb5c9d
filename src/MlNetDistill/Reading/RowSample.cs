using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>
/// A few rows of a view, chosen by their ids alone, each with a hash of the values that it had in the first pass that read it. All passes choose the same rows,
/// whatever the number and the order of the rows.
/// </summary>
internal sealed class RowSample
{
    /// <summary>The most rows that are kept. If 1 % of the rows of a view change, these rows show it with a probability of 0.994.</summary>
    public const int MaximumRows = 512;

    private readonly Dictionary<RowId, (UInt128 Hash, object Pass, bool IsUnique)> _seen = [];
    private readonly Lock _lock = new();
    private ulong _largest = ulong.MaxValue;
    private bool _isComplete;

    /// <summary>Whether the row belongs to the sample.</summary>
    public bool Includes(RowId id) => Mix(id) <= Volatile.Read(ref _largest);

    /// <summary>Called when a pass has read all rows: an id that was not read then is a changed row.</summary>
    public void Complete()
    {
        lock (_lock)
            _isComplete = true;
    }

    /// <summary>Whether a row of a pass has the same values as in the first pass.</summary>
    public bool Matches(object pass, RowId id, UInt128 hash)
    {
        lock (_lock)
        {
            if (_seen.TryGetValue(id, out var seen))
            {
                if (seen.Hash == hash || !seen.IsUnique)
                    return true;
                // An id that comes twice in one pass cannot be compared with other passes.
                if (!ReferenceEquals(seen.Pass, pass))
                    return false;
                _seen[id] = seen with { IsUnique = false };
                return true;
            }

            if (_isComplete)
                return false;
            _seen[id] = (hash, pass, true);
            if (_seen.Count > MaximumRows)
                Shrink();
            return true;
        }
    }

    private void Shrink()
    {
        _seen.Remove(_seen.Keys.MaxBy(Mix));
        Volatile.Write(ref _largest, _seen.Keys.Max(Mix));
    }

    // Ids are consecutive numbers; their bits are mixed, as in SplitMix64, so that every row is equally likely to be chosen.
    private static ulong Mix(RowId id)
    {
        var bits = id.Low ^ (id.High * 0x9E3779B97F4A7C15) ^ 0x9E3779B97F4A7C15;
        bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
        bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
        return bits ^ (bits >> 31);
    }
}

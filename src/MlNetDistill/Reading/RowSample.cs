using MlNetDistill.Core;


namespace MlNetDistill.Reading;

/// <summary>
/// A few rows of a view, drawn by their ids alone, and a hash of the values that each had in the pass that met it first. However many rows there are and in
/// whatever order they come, each pass looks at the same ones.
/// </summary>
internal sealed class RowSample
{
    /// <summary>Rows at most. Of a view in which 1 % of the rows change, as many show it with a probability of 0.994.</summary>
    public const int MaximumRows = 512;

    private readonly Dictionary<RowId, (UInt128 Hash, object Pass, bool IsUnique)> _seen = [];
    private readonly Lock _lock = new();
    private ulong _largest = ulong.MaxValue;
    private bool _isComplete;

    /// <summary>Whether the row is one to look at.</summary>
    public bool Includes(RowId id) => Mix(id) <= Volatile.Read(ref _largest);

    /// <summary>A pass has come to the end of all rows: there are no others.</summary>
    public void Complete()
    {
        lock (_lock)
            _isComplete = true;
    }

    /// <summary>Whether the row has the values that it had in another pass, or is met for the first time in the first.</summary>
    /// <param name="pass">Who reads it.</param>
    /// <param name="id">The row.</param>
    /// <param name="hash">Hash of its values.</param>
    public bool Matches(object pass, RowId id, UInt128 hash)
    {
        lock (_lock)
        {
            if (_seen.TryGetValue(id, out var seen))
            {
                if (seen.Hash == hash || !seen.IsUnique)
                    return true;
                // Ids that come twice in one pass tell nothing of another.
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

    // Ids are numbers in a row; their bits are mixed, as by SplitMix64, so that every row is as likely to be drawn.
    private static ulong Mix(RowId id)
    {
        var bits = id.Low ^ (id.High * 0x9E3779B97F4A7C15) ^ 0x9E3779B97F4A7C15;
        bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
        bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
        return bits ^ (bits >> 31);
    }
}

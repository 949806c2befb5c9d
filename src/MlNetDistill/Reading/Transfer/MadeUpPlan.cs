using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>Which rows are made up: a number of copies of every row, then one more of some rows.</summary>
internal sealed class MadeUpPlan
{
    private readonly int _rows;
    private readonly int _copies;
    private readonly int[] _others;

    /// <param name="settings">How many are made up.</param>
    /// <param name="ids">The rows that they are made from.</param>
    /// <param name="seed">Draws the rows with one more copy.</param>
    public MadeUpPlan(MadeUpRows settings, IReadOnlyList<RowId> ids, int seed)
    {
        _rows = ids.Count;
        Count = (long)Math.Clamp(Math.Round(settings.Copies * _rows, MidpointRounding.AwayFromZero), 1, settings.MaximumRows);
        _copies = (int)(Count / _rows);
        _others = [.. Enumerable.Range(0, _rows).OrderBy(row => new RowDraws(seed, ids[row], long.MaxValue).Uniform(0)).Take((int)(Count % _rows)).Order()];
    }

    /// <summary>Number of made-up rows.</summary>
    public long Count { get; }

    /// <summary>The rows that rows are made from.</summary>
    public IReadOnlyList<int> Used => _copies > 0 ? [.. Enumerable.Range(0, _rows)] : _others;

    /// <summary>The first row that made-up row <paramref name="index"/> is made from, and the number of the copy. The rows of a copy are in ascending order.</summary>
    public (int Row, int Copy) this[long index]
    {
        get
        {
            var (copy, row) = Math.DivRem(index, _rows);
            return copy < _copies ? ((int)row, (int)copy) : (_others[row], (int)copy);
        }
    }
}

using System.Runtime.Intrinsics;
using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>
/// The nearest neighbours of rows, by the squared Euclidean distance of numbers divided by their deviations, plus 1 for each category that differs and for each number
/// that only one of the rows has. Of rows at the same distance the first is nearer.
/// </summary>
internal sealed class Neighbours
{
    private const int MostCandidates = 20_000;
    private const int FewestCandidates = 1000;
    private const int MostValues = 1 << 26;

    // Differences of single attributes: about a minute on two busy cores (seen with 784 random attributes, where few distances are abandoned early).
    private const double MostDifferences = 5e10;

    // Attributes after which a distance that is too large already is abandoned.
    private const int Block = 16;
    private readonly ParentRows _rows;
    private readonly int[] _candidates;
    private readonly (ParentColumn Column, int Slot)[] _numbers;
    private readonly (ParentColumn Column, int Slot)[] _categories;
    private readonly int _width;
    private readonly double[] _values;

    private Neighbours(ParentRows rows, int[] candidates)
    {
        (_rows, _candidates) = (rows, candidates);
        var attributes = rows.Columns.SelectMany(column => Enumerable.Range(0, column.Attributes).Select(slot => (Column: column, Slot: slot))).ToLookup(a => a.Column.IsNumeric);
        (_numbers, _categories) = ([.. attributes[true]], [.. attributes[false]]);
        _width = _numbers.Length + _categories.Length;
        _values = new double[(long)_candidates.Length * _width];
        for (var i = 0; i < _candidates.Length; i++)
            Scale(_candidates[i], _values.AsSpan(i * _width, _width));
    }

    /// <summary>For each of some rows, the positions of its nearest other rows, the nearest first; null for the others.</summary>
    /// <param name="rows">All rows; at least two.</param>
    /// <param name="wanted">The rows whose neighbours are wanted.</param>
    /// <param name="count">Neighbours of each row; fewer if there are not so many rows.</param>
    /// <param name="seed">Draws the rows that neighbours are searched among, where these are not all.</param>
    /// <param name="cancellation">Stops the search.</param>
    public static int[]?[] Find(ParentRows rows, IReadOnlyList<int> wanted, int count, int seed, CancellationToken cancellation)
    {
        var search = new Neighbours(rows, Draw(rows.Count, CountCandidates(rows, wanted.Count), seed));
        var found = new int[]?[rows.Count];
        // Each row is searched for on its own, so the result does not depend on the number of threads.
        Parallel.For(0, wanted.Count, new ParallelOptions { CancellationToken = cancellation }, i => found[wanted[i]] = search.Find(wanted[i], count));
        return found;
    }

    private static int CountCandidates(ParentRows rows, int wanted)
    {
        var affordable = MostDifferences / ((double)wanted * rows.Attributes);
        return (int)Math.Min(Math.Min(rows.Count, MostValues / rows.Attributes), Math.Clamp(affordable, FewestCandidates, MostCandidates));
    }

    // In ascending order, so that the first of equal rows is found.
    private static int[] Draw(int rows, int count, int seed)
    {
        int[] all = [.. Enumerable.Range(0, rows)];
        if (count >= rows)
            return all;
        var draws = new RowDraws(seed, default, -1);
        for (var i = 0; i < count; i++)
        {
            var other = i + draws.Integer(i, rows - i);
            (all[i], all[other]) = (all[other], all[i]);
        }

        var drawn = all[..count];
        Array.Sort(drawn);
        return drawn;
    }

    private void Scale(int row, Span<double> values)
    {
        for (var i = 0; i < _numbers.Length; i++)
        {
            var (column, slot) = _numbers[i];
            var (value, attribute) = (column.Get(row, slot), column.FirstAttribute + slot);
            var deviation = _rows.Deviation(attribute);
            values[i] = double.IsFinite(value) ? (value - _rows.Mean(attribute)) / (deviation > 0 ? deviation : 1) : double.NaN;
        }

        for (var i = 0; i < _categories.Length; i++)
            values[_numbers.Length + i] = _categories[i].Column.Get(row, _categories[i].Slot);
    }

    private int[] Find(int row, int count)
    {
        var own = new double[_width];
        Scale(row, own);
        var (nearest, distances, found) = (new int[count], new double[count], 0);
        for (var i = 0; i < _candidates.Length; i++)
        {
            if (_candidates[i] == row)
                continue;
            var limit = found < count ? double.PositiveInfinity : distances[found - 1];
            var distance = Distance(own, _values.AsSpan(i * _width, _width), limit);
            if (!(distance < limit))
                continue;
            var at = found < count ? found++ : count - 1;
            for (; at > 0 && distance < distances[at - 1]; at--)
                (nearest[at], distances[at]) = (nearest[at - 1], distances[at - 1]);
            (nearest[at], distances[at]) = (_candidates[i], distance);
        }

        return nearest[..found];
    }

    private double Distance(ReadOnlySpan<double> a, ReadOnlySpan<double> b, double limit)
    {
        var (sum, i) = (0.0, _numbers.Length);
        for (; i < a.Length; i++)
            sum += a[i] == b[i] ? 0 : 1;
        for (i = 0; i + Block <= _numbers.Length && sum < limit && !_rows.HasMissing; i += Block)
        {
            var squares = Vector256<double>.Zero;
            for (var part = i; part < i + Block; part += Vector256<double>.Count)
            {
                var difference = Vector256.Create(a[part..]) - Vector256.Create(b[part..]);
                squares += difference * difference;
            }

            sum += Vector256.Sum(squares);
        }

        for (; i < _numbers.Length && sum < limit; i++)
        {
            var difference = a[i] - b[i];
            sum += !double.IsNaN(difference) ? difference * difference : double.IsNaN(a[i]) && double.IsNaN(b[i]) ? 0 : 1;
        }

        return sum;
    }
}

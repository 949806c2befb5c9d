using System.Globalization;
using Microsoft.ML;
using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>
/// The rows of a view divided into folds of equal size. The rows of each class, and those without a label, are spread over the folds, so that a class is missing
/// from the training rows of a fold only if no more than one of its rows is trained on.
/// </summary>
internal sealed class StratifiedFolds
{
    private readonly IDataView _data;
    // About 40 bytes a row. A pipeline is fitted on the rows of its folds several times, and keeps rows in memory itself.
    private readonly Dictionary<RowId, int> _foldOf = [];
    private readonly Dictionary<int, (int Fold, double Share)> _singles = [];
    private readonly Dictionary<int, double> _heldOut = [];

    /// <param name="data">The rows.</param>
    /// <param name="label">The key column to stratify by; null for rows without labels.</param>
    /// <param name="count">Number of folds.</param>
    /// <param name="seed">Seed of the assignment of rows to folds.</param>
    /// <param name="heldOut">Ids of rows that no model is fitted on.</param>
    /// <exception cref="InvalidOperationException">There are fewer rows than folds.</exception>
    public StratifiedFolds(IDataView data, DataViewSchema.Column? label, int count, int seed, IReadOnlySet<RowId> heldOut)
    {
        _data = data;
        var random = new Random(seed);
        var classes = GroupByClass(data, label);
        var labelled = classes.Sum(c => c.Key == 0 ? 0 : c.Value.Count);
        var next = 0;
        foreach (var (key, ids) in classes.OrderBy(c => c.Key))
        {
            var shuffled = ids.ToArray();
            random.Shuffle(shuffled);
            // Rows that are trained on come first, so that these are spread over the folds.
            shuffled = [.. shuffled.OrderBy(heldOut.Contains)];
            var trained = ids.Count(id => !heldOut.Contains(id));
            if (key != 0 && trained == 1)
                _singles[(int)key - 1] = (next % count, 1.0 / labelled);
            else if (key != 0 && trained == 0)
                _heldOut[(int)key - 1] = (double)ids.Count / labelled;
            foreach (var id in shuffled)
                _foldOf[id] = next++ % count;
        }

        if (next < count)
        {
            throw new InvalidOperationException(string.Create(
                CultureInfo.InvariantCulture, $"The teacher's folds are {count}, and the training data has {next} rows; at least one row for each fold is needed. Ask for fewer folds."));
        }
    }

    /// <summary>The rows outside a fold, on which its model is fitted.</summary>
    public IDataView GetTrainingRows(int fold) => new FilteredRows(_data, id => _foldOf[id] != fold);

    /// <summary>The rows of a fold, which its model scores.</summary>
    public IDataView GetScoredRows(int fold) => new FilteredRows(_data, id => _foldOf[id] == fold);

    /// <summary>The number of rows of a fold whose ids are given. It reads the data, as ids may be repeated (in a view that shows rows twice).</summary>
    public long Count(int fold, RowIdIndex rows)
    {
        using var cursor = GetScoredRows(fold).GetRowCursor([]);
        var getId = cursor.CreateIdReader();
        var count = 0L;
        while (cursor.MoveNext())
            count += rows.Contains(getId()) ? 1 : 0;
        return count;
    }

    /// <summary>The classes (from 0) of which every row is held out, each with its share of the labelled rows: no model knows them.</summary>
    public IReadOnlyDictionary<int, double> HeldOutClasses => _heldOut;

    /// <summary>The classes (from 0) whose only row that is trained on is in a fold, each with its share of the labelled rows.</summary>
    public IReadOnlyDictionary<int, double> GetSingleClasses(int fold) => _singles.Where(s => s.Value.Fold == fold).ToDictionary(s => s.Key, s => s.Value.Share);

    /// <summary>All classes (from 0) that the model of a fold does not know.</summary>
    public IReadOnlyDictionary<int, double> GetUnseenClasses(int fold) => GetSingleClasses(fold).Concat(_heldOut).ToDictionary();

    private static Dictionary<uint, List<RowId>> GroupByClass(IDataView data, DataViewSchema.Column? label)
    {
        var found = new Dictionary<uint, List<RowId>>();
        using var cursor = data.GetRowCursor(label is { } read ? [read] : []);
        var getKey = label is { } column ? cursor.GetGetter<uint>(column) : null;
        var getId = cursor.CreateIdReader();
        uint key = 0;
        while (cursor.MoveNext())
        {
            getKey?.Invoke(ref key);
            if (!found.TryGetValue(key, out var ids))
                found[key] = ids = [];
            ids.Add(getId());
        }

        return found;
    }
}

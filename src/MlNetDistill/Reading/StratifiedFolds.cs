using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>
/// The rows of a view shuffled into folds of equal size, each class (and the rows without a label) spread over as many of them as it has rows. So a class is missing
/// from what the other folds hold only where it has a single row.
/// </summary>
internal sealed class StratifiedFolds
{
    private readonly IDataView _data;
    private readonly Dictionary<RowId, int> _foldOf = [];
    private readonly Dictionary<int, (int Fold, double Share)> _singles = [];

    /// <param name="data">The rows.</param>
    /// <param name="label">The key column to stratify by; null for rows without labels.</param>
    /// <param name="count">How many folds.</param>
    /// <param name="seed">Seed of the deal.</param>
    /// <exception cref="InvalidOperationException">There are fewer rows than folds.</exception>
    public StratifiedFolds(IDataView data, DataViewSchema.Column? label, int count, int seed)
    {
        _data = data;
        var random = new Random(seed);
        var classes = GroupByClass(data, label);
        var labelled = classes.Sum(c => c.Key == 0 ? 0 : c.Value.Count);
        var next = 0;
        foreach (var (key, ids) in classes.OrderBy(c => c.Key))
        {
            if (key != 0 && ids.Count == 1)
                _singles[(int)key - 1] = (next % count, 1.0 / labelled);
            var shuffled = ids.ToArray();
            random.Shuffle(shuffled);
            foreach (var id in shuffled)
                _foldOf[id] = next++ % count;
        }

        if (next < count)
        {
            throw new InvalidOperationException(string.Create(
                CultureInfo.InvariantCulture, $"The teacher's folds are {count}, and the training data has {next} rows; at least one row for each fold is needed. Ask for fewer folds."));
        }
    }

    /// <summary>The rows outside a fold, to fit its model on.</summary>
    public IDataView GetTrainingRows(int fold) => new FilteredRows(_data, id => _foldOf[id] != fold);

    /// <summary>The rows of a fold, to be answered for.</summary>
    public IDataView GetScoredRows(int fold) => new FilteredRows(_data, id => _foldOf[id] == fold);

    /// <summary>How many of some rows are in a fold.</summary>
    public long Count(int fold, IReadOnlySet<RowId> rows) => _foldOf.LongCount(row => row.Value == fold && rows.Contains(row.Key));

    /// <summary>Classes (from 0) that have no row outside a fold, each with its share of the labelled rows.</summary>
    public IReadOnlyDictionary<int, double> GetUnseenClasses(int fold) => _singles.Where(s => s.Value.Fold == fold).ToDictionary(s => s.Key, s => s.Value.Share);

    private static Dictionary<uint, List<RowId>> GroupByClass(IDataView data, DataViewSchema.Column? label)
    {
        var found = new Dictionary<uint, List<RowId>>();
        using var cursor = data.GetRowCursor(label is { } read ? [read] : []);
        var getKey = label is { } column ? cursor.GetGetter<uint>(column) : null;
        var getId = cursor.GetIdGetter();
        uint key = 0;
        DataViewRowId id = default;
        while (cursor.MoveNext())
        {
            getKey?.Invoke(ref key);
            getId(ref id);
            if (!found.TryGetValue(key, out var ids))
                found[key] = ids = [];
            ids.Add(new RowId(id.Low, id.High));
        }

        return found;
    }
}

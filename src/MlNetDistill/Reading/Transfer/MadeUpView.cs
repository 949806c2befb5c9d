using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>Made-up rows with the columns of the loaded rows, made when they are read.</summary>
/// <param name="parents">The loaded rows that they are made from.</param>
/// <param name="rows">Their columns that are mixed, in memory.</param>
/// <param name="plan">Which rows are made.</param>
/// <param name="createRule">Creates the rule by which a reader makes them.</param>
/// <param name="seed">Their seed.</param>
/// <param name="missing">Columns, by index, that made-up rows do not have: the label and what it is made from.</param>
internal sealed class MadeUpView(IDataView parents, ParentRows rows, MadeUpPlan plan, Func<MixRule> createRule, int seed, IReadOnlySet<int> missing) : IDataView
{
    private readonly Dictionary<int, ParentColumn> _mixed = rows.Columns.ToDictionary(c => c.Column.Index);

    public bool CanShuffle => false;

    public DataViewSchema Schema => parents.Schema;

    public long? GetRowCount() => plan.Count;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) => new Cursor(this, [.. columnsNeeded.Select(c => Schema[c.Index])]);

    // ML.NET divides the rows of one cursor among its threads.
    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) => [GetRowCursor(columnsNeeded)];

    private sealed class Cursor(MadeUpView view, List<DataViewSchema.Column> needed) : DataViewRowCursor
    {
        private readonly MixRule _rule = view.CreateRule();
        private readonly List<DataViewSchema.Column> _kept = [.. needed.Where(view.IsKept)];
        private DataViewRowCursor? _parents;
        private (int Row, int Copy) _at = (-1, -1);
        private long _position = -1;

        public override long Position => _position;

        public override long Batch => 0;

        public override DataViewSchema Schema => view.Schema;

        public override bool MoveNext()
        {
            if (_position + 1 >= view.Count)
            {
                _position = -1;
                return false;
            }

            var next = view.Begin(++_position, _rule);
            if (_kept.Count > 0)
                MoveParents(next);
            return true;
        }

        public override bool IsColumnActive(DataViewSchema.Column column) => needed.Exists(c => c.Index == column.Index);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (!IsColumnActive(column))
                throw new InvalidOperationException($"Column '{column.Name}' was not requested from this cursor.");
            return view.CreateGetter<TValue>(column, _rule) ?? RebindingGetter.Create<TValue>(() => _parents!, column.Index);
        }

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) => id = new DataViewRowId((ulong)_position, 0);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _parents?.Dispose();
            base.Dispose(disposing);
        }

        // Every copy passes over the parents again.
        private void MoveParents((int Row, int Copy) to)
        {
            if (to.Copy != _at.Copy)
            {
                _parents?.Dispose();
                _parents = view.OpenParents(_kept);
                _at = (-1, to.Copy);
            }

            for (; _at.Row < to.Row; _at.Row++)
            {
                if (!_parents!.MoveNext())
                    throw new InvalidOperationException("TransferRows: the rows that rows are made up from became fewer while they were read again. Give data that are the same in every pass, or cache them.");
            }
        }
    }

    private long Count => plan.Count;

    private MixRule CreateRule() => createRule();

    private bool IsKept(DataViewSchema.Column column) => !_mixed.ContainsKey(column.Index) && !missing.Contains(column.Index);

    private DataViewRowCursor OpenParents(IEnumerable<DataViewSchema.Column> columns) => parents.GetRowCursor(columns);

    private (int Row, int Copy) Begin(long index, MixRule rule)
    {
        var (row, copy) = plan[index];
        rule.Begin(row, new RowDraws(seed, rows.Ids[row], copy));
        return (row, copy);
    }

    /// <summary>A getter of a mixed or a missing column; null for another.</summary>
    private ValueGetter<TValue>? CreateGetter<TValue>(DataViewSchema.Column column, MixRule rule) =>
        _mixed.TryGetValue(column.Index, out var mixed) ? mixed.CreateGetter<TValue>(rule) : missing.Contains(column.Index) ? MissingValue.CreateGetter<TValue>(column) : null;
}

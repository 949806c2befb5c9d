using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Alignment;
using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>A view with one more column: class probabilities, looked up by row id. Rows without probabilities are left out.</summary>
internal sealed class ScoredRows : IDataView
{
    private readonly IDataView _data;
    private readonly float[] _scores;
    private readonly int _classes;
    private readonly Dictionary<RowId, int> _rowOf;

    /// <param name="data">The rows.</param>
    /// <param name="column">Name of the new column.</param>
    /// <param name="scores">Its values, row after row.</param>
    /// <param name="ids">The row id of each row of values.</param>
    /// <param name="classes">The classes; their names, if they have any, become the column's slot names.</param>
    public ScoredRows(IDataView data, string column, float[] scores, RowIds ids, ClassLabels classes)
    {
        _data = data;
        _scores = scores;
        _classes = classes.Count;
        _rowOf = ids.Index().ToDictionary(id => id.Item, id => id.Index);
        var schema = new DataViewSchema.Builder();
        schema.AddColumns(data.Schema);
        schema.AddColumn(column, new VectorDataViewType(NumberDataViewType.Single, _classes), Annotations(classes));
        Schema = schema.ToSchema();
    }

    public bool CanShuffle => false;

    public DataViewSchema Schema { get; }

    public long? GetRowCount() => _rowOf.Count;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var (needed, scoresActive) = ScoreColumn.SplitNeeded(_data.Schema, columnsNeeded);
        return new Cursor(this, _data.GetRowCursor(_data.Schema.Where(column => needed.Contains(column.Index))), scoresActive);
    }

    // A view may give fewer cursors than requested.
    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) => [GetRowCursor(columnsNeeded)];

    private static DataViewSchema.Annotations? Annotations(ClassLabels classes)
    {
        if (classes.Names is not { } names)
            return null;
        var annotations = new DataViewSchema.Annotations.Builder();
        ReadOnlyMemory<char>[] values = [.. names.Select(name => name.AsMemory())];
        annotations.Add(
            AnnotatedNames.SlotNames,
            new VectorDataViewType(TextDataViewType.Instance, values.Length),
            (ref VBuffer<ReadOnlyMemory<char>> buffer) => buffer = new VBuffer<ReadOnlyMemory<char>>(values.Length, values));
        return annotations.ToAnnotations();
    }

    private sealed class Cursor(ScoredRows rows, DataViewRowCursor input, bool scoresActive) : FilteredCursor(input, rows._rowOf.ContainsKey)
    {
        public override DataViewSchema Schema => rows.Schema;

        public override bool IsColumnActive(DataViewSchema.Column column) =>
            ScoreColumn.IsScores(column, Input) ? scoresActive : base.IsColumnActive(Input.Schema[column.Index]);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) =>
            ScoreColumn.IsScores(column, Input) ? ScoreColumn.CastGetter<TValue>(column, Scores()) : base.GetGetter<TValue>(Input.Schema[column.Index]);

        private ValueGetter<VBuffer<float>> Scores()
        {
            var getId = Input.GetIdGetter();
            DataViewRowId id = default;
            return (ref VBuffer<float> value) =>
            {
                getId(ref id);
                var editor = VBufferEditor.Create(ref value, rows._classes);
                rows._scores.AsSpan(rows._rowOf[new RowId(id.Low, id.High)] * rows._classes, rows._classes).CopyTo(editor.Values);
                value = editor.Commit();
            };
        }
    }
}

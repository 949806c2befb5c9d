using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Data;
using MlNetDistill.Schema;

namespace MlNetDistill.Seam;

/// <summary>A view with one more column: class probabilities by row id. Rows that have none are left out.</summary>
internal sealed class ScoredRows : IDataView
{
    private readonly IDataView _data;
    private readonly float[] _scores;
    private readonly int _classes;
    private readonly Dictionary<RowId, int> _rowOf;

    /// <param name="data">The rows.</param>
    /// <param name="column">Name of the new column.</param>
    /// <param name="scores">Its values, row after row.</param>
    /// <param name="ids">Whose each row of values is.</param>
    /// <param name="classes">The classes; their names, where they have any, become the column's slot names.</param>
    public ScoredRows(IDataView data, string column, float[] scores, IReadOnlyList<RowId> ids, ClassLabels classes)
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
        var needed = columnsNeeded.Select(column => column.Index).ToHashSet();
        return new Cursor(this, _data.GetRowCursor(_data.Schema.Where(column => needed.Contains(column.Index))), needed.Contains(_data.Schema.Count));
    }

    // Fewer cursors than asked for are allowed.
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

    private sealed class Cursor(ScoredRows rows, DataViewRowCursor input, bool scoresActive) : DataViewRowCursor
    {
        private readonly ValueGetter<DataViewRowId> _id = input.GetIdGetter();
        private long _position = -1;
        private int _row;

        public override long Position => _position;

        public override long Batch => input.Batch;

        public override DataViewSchema Schema => rows.Schema;

        public override bool MoveNext()
        {
            DataViewRowId id = default;
            while (input.MoveNext())
            {
                _id(ref id);
                if (!rows._rowOf.TryGetValue(new RowId(id.Low, id.High), out _row))
                    continue;
                _position++;
                return true;
            }

            _position = -1;
            return false;
        }

        public override bool IsColumnActive(DataViewSchema.Column column) =>
            IsScores(column) ? scoresActive : input.IsColumnActive(input.Schema[column.Index]);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (!IsScores(column))
                return input.GetGetter<TValue>(input.Schema[column.Index]);
            ValueGetter<VBuffer<float>> getter = Scores;
            return getter as ValueGetter<TValue> ?? throw new InvalidOperationException(
                $"Column '{column.Name}' is {column.Type} and is read as VBuffer<Single>; it was read as {typeof(TValue).Name}.");
        }

        public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                input.Dispose();
            base.Dispose(disposing);
        }

        private bool IsScores(DataViewSchema.Column column) => column.Index == input.Schema.Count;

        private void Scores(ref VBuffer<float> value)
        {
            var editor = VBufferEditor.Create(ref value, rows._classes);
            rows._scores.AsSpan(_row * rows._classes, rows._classes).CopyTo(editor.Values);
            value = editor.Commit();
        }
    }
}

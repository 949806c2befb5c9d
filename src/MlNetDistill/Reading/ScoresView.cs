using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Reading;

/// <summary>A view with one more column, a vector of class scores.</summary>
internal abstract class ScoresView : IDataView
{
    private readonly IDataView _data;

    protected ScoresView(IDataView data, string column, int classes, DataViewSchema.Annotations? annotations) =>
        (_data, Schema) = (data, AddColumn(data.Schema, column, classes, annotations));

    public bool CanShuffle => _data.CanShuffle;

    public DataViewSchema Schema { get; }

    /// <summary>The column from which the scores are computed; null for none.</summary>
    protected virtual DataViewSchema.Column? Source => null;

    public virtual long? GetRowCount() => _data.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var (inputs, readsScores) = SelectInputs(columnsNeeded);
        return new Cursor(this, _data.GetRowCursor(inputs, rand), readsScores);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        var (inputs, readsScores) = SelectInputs(columnsNeeded);
        return [.. _data.GetRowCursorSet(inputs, n, rand).Select(cursor => new Cursor(this, cursor, readsScores))];
    }

    /// <summary>Creates a getter of the scores.</summary>
    /// <param name="input">A cursor over the view without the scores.</param>
    protected abstract ValueGetter<VBuffer<float>> CreateGetter(DataViewRowCursor input);

    protected static DataViewSchema AddColumn(DataViewSchema schema, string column, int classes, DataViewSchema.Annotations? annotations)
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(schema);
        builder.AddColumn(column, new VectorDataViewType(NumberDataViewType.Single, classes), annotations);
        return builder.ToSchema();
    }

    private (List<DataViewSchema.Column> Inputs, bool ReadsScores) SelectInputs(IEnumerable<DataViewSchema.Column> columns)
    {
        var needed = columns.Select(column => column.Index).ToHashSet();
        var readsScores = needed.Remove(_data.Schema.Count);
        if (readsScores && Source is { } source)
            needed.Add(source.Index);
        return ([.. _data.Schema.Where(column => needed.Contains(column.Index))], readsScores);
    }

    private sealed class Cursor(ScoresView view, DataViewRowCursor input, bool readsScores) : CursorOver(input)
    {
        public override DataViewSchema Schema => view.Schema;

        public override bool IsColumnActive(DataViewSchema.Column column) =>
            IsScores(column) ? readsScores : base.IsColumnActive(Input.Schema[column.Index]);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => !IsScores(column)
            ? base.GetGetter<TValue>(Input.Schema[column.Index])
            : view.CreateGetter(Input) as ValueGetter<TValue> ?? throw new InvalidOperationException(
                $"Column '{column.Name}' is {column.Type} and is read as VBuffer<Single>; it was read as {typeof(TValue).Name}.");

        private bool IsScores(DataViewSchema.Column column) => column.Index == Input.Schema.Count;
    }
}

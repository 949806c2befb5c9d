using Microsoft.ML;
using MlNetDistill.Alignment;

namespace MlNetDistill.Reading;

/// <summary>Unlabelled rows of the user's own, with the columns of the loaded rows. Columns that are not needed may be absent.</summary>
internal sealed class OwnRows : IDataView
{
    private readonly IDataView _rows;
    private readonly Dictionary<int, DataViewSchema.Column> _given;

    /// <param name="rows">The rows.</param>
    /// <param name="schema">The columns of the loaded rows.</param>
    /// <param name="needed">Columns, by index, that must be there.</param>
    /// <param name="missing">Columns, by index, that are not read: the label and what it is made from.</param>
    /// <exception cref="InvalidOperationException">A column is absent or of another type.</exception>
    public OwnRows(IDataView rows, DataViewSchema schema, IReadOnlySet<int> needed, IReadOnlySet<int> missing)
    {
        (_rows, Schema) = (rows, schema);
        foreach (var column in schema.Where(c => needed.Contains(c.Index)))
            Check(column);
        _rows = RepeatedRows.CompareColumns(rows, schema.Where(c => needed.Contains(c.Index)).Select(c => rows.Schema[c.Name]).Where(RowBytes.CanHash).DistinctBy(c => c.Index));
        _given = schema
            .Where(c => !c.IsHidden && !missing.Contains(c.Index) && rows.Schema.GetColumnOrNull(c.Name)?.Type.Equals(c.Type) == true)
            .ToDictionary(c => c.Index, c => rows.Schema[c.Name]);
    }

    public bool CanShuffle => false;

    public DataViewSchema Schema { get; }

    public long? GetRowCount() => _rows.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var needed = columnsNeeded.Select(c => c.Index).ToHashSet();
        return new Cursor(this, _rows.GetRowCursor(Inputs(needed)), needed);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        var needed = columnsNeeded.Select(c => c.Index).ToHashSet();
        return [.. _rows.GetRowCursorSet(Inputs(needed), n).Select(cursor => new Cursor(this, cursor, needed))];
    }

    private IEnumerable<DataViewSchema.Column> Inputs(HashSet<int> needed) => needed.Where(_given.ContainsKey).Select(index => _given[index]).DistinctBy(c => c.Index);

    private void Check(DataViewSchema.Column column)
    {
        var names = string.Join(", ", _rows.Schema.Where(c => !c.IsHidden).Select(c => $"'{c.Name}'"));
        var own = _rows.Schema.GetColumnOrNull(column.Name) ?? throw new InvalidOperationException(
            $"TransferRows.From: the rows have no column '{column.Name}', which the student or the teacher needs. They have {names}. Load the rows with the columns " +
            "that the training data were loaded with; only the label may be left out.");
        if (!own.Type.Equals(column.Type) || !(AnnotatedNames.Read(own, AnnotatedNames.KeyValues) ?? []).SequenceEqual(AnnotatedNames.Read(column, AnnotatedNames.KeyValues) ?? []))
        {
            throw new InvalidOperationException(
                $"TransferRows.From: column '{column.Name}' of the rows is {own.Type}, and it is {column.Type} in the training data" +
                $"{(own.Type.Equals(column.Type) ? ", with other key values" : "")}. Load both in the same way.");
        }
    }

    private sealed class Cursor(OwnRows rows, DataViewRowCursor input, HashSet<int> needed) : CursorOver(input)
    {
        public override DataViewSchema Schema => rows.Schema;

        public override bool IsColumnActive(DataViewSchema.Column column) => needed.Contains(column.Index);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) =>
            rows._given.TryGetValue(column.Index, out var own) ? Input.GetGetter<TValue>(own) : MissingValue.CreateGetter<TValue>(column);
    }
}

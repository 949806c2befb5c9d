using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Alignment;
using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>A view with one more column: class probabilities, looked up by row id. Rows without probabilities are left out.</summary>
internal sealed class ScoredRows : ScoresView
{
    private readonly IReadOnlyList<float[]> _blocks;
    private readonly int _blockRows;
    private readonly int _classes;
    private readonly RowIdIndex _rowOf;

    /// <param name="data">The rows.</param>
    /// <param name="column">Name of the new column.</param>
    /// <param name="blocks">Its values, row after row, 4 bytes for each row and class.</param>
    /// <param name="blockRows">Number of rows of each block; the last may have fewer.</param>
    /// <param name="ids">The row id of each row of values.</param>
    /// <param name="classes">The classes; their names, if they have any, become the column's slot names.</param>
    /// <exception cref="InvalidOperationException">A row id is repeated.</exception>
    public ScoredRows(IDataView data, string column, IReadOnlyList<float[]> blocks, int blockRows, RowIds ids, ClassLabels classes)
        : this(data, column, blocks, blockRows, CreateIndex(ids), classes)
    {
    }

    private ScoredRows(IDataView data, string column, IReadOnlyList<float[]> blocks, int blockRows, RowIdIndex rowOf, ClassLabels classes)
        : base(new FilteredRows(data, rowOf.Contains), column, classes.Count, CreateAnnotations(classes)) =>
        (_blocks, _blockRows, _classes, _rowOf) = (blocks, blockRows, classes.Count, rowOf);

    public override long? GetRowCount() => _rowOf.Count;

    protected override ValueGetter<VBuffer<float>> CreateGetter(DataViewRowCursor input)
    {
        var getId = input.CreateIdReader();
        return (ref VBuffer<float> value) =>
        {
            var editor = VBufferEditor.Create(ref value, _classes);
            var (block, row) = Math.DivRem(_rowOf.Find(getId()), _blockRows);
            _blocks[(int)block].AsSpan((int)row * _classes, _classes).CopyTo(editor.Values);
            value = editor.Commit();
        };
    }

    private static RowIdIndex CreateIndex(RowIds ids) => new(ids, "ScoreTeacher", (_, row) => throw new InvalidOperationException(
        $"Row id {ids[row]} is given to two rows, so that their scores cannot be told apart. Cache the rows with mlContext.Data.Cache, which numbers them."));

    private static DataViewSchema.Annotations? CreateAnnotations(ClassLabels classes)
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
}

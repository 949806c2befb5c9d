using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Alignment;
using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>A view with one more column: class probabilities, looked up by row id. Rows without probabilities are left out.</summary>
internal sealed class ScoredRows : ScoresView
{
    private readonly float[] _scores;
    private readonly int _classes;
    private readonly Dictionary<RowId, int> _rowOf;

    /// <param name="data">The rows.</param>
    /// <param name="column">Name of the new column.</param>
    /// <param name="scores">Its values, row after row.</param>
    /// <param name="ids">The row id of each row of values.</param>
    /// <param name="classes">The classes; their names, if they have any, become the column's slot names.</param>
    public ScoredRows(IDataView data, string column, float[] scores, RowIds ids, ClassLabels classes)
        : this(data, column, scores, ids.Index().ToDictionary(id => id.Item, id => id.Index), classes)
    {
    }

    private ScoredRows(IDataView data, string column, float[] scores, Dictionary<RowId, int> rowOf, ClassLabels classes)
        : base(new FilteredRows(data, rowOf.ContainsKey), column, classes.Count, CreateAnnotations(classes)) =>
        (_scores, _classes, _rowOf) = (scores, classes.Count, rowOf);

    public override long? GetRowCount() => _rowOf.Count;

    protected override ValueGetter<VBuffer<float>> CreateGetter(DataViewRowCursor input)
    {
        var getId = input.CreateIdReader();
        return (ref VBuffer<float> value) =>
        {
            var editor = VBufferEditor.Create(ref value, _classes);
            _scores.AsSpan(_rowOf[getId()] * _classes, _classes).CopyTo(editor.Values);
            value = editor.Commit();
        };
    }

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

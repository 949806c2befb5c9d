using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Alignment;

namespace MlNetDistill.Reading;

/// <summary>
/// The scores of a binary model, one number per row, as scores of the two classes <c>false</c> and <c>true</c>: a view with one more column, which has the name of
/// the model's column.
/// </summary>
internal sealed class TwoClassScores : IDataView
{
    private static readonly bool[] Classes = [false, true];

    private readonly IDataView _data;
    private readonly DataViewSchema.Column _read;
    private readonly Func<float, float> _scoreOfFalse;

    private TwoClassScores(IDataView data, string column, (DataViewSchema.Column Column, ScoreKind Kind) found)
    {
        _data = data;
        _read = found.Column;
        // The softmax of (0, m) and the shares of σ(-m) and σ(m) are both σ(m) for the second class.
        _scoreOfFalse = found.Kind switch
        {
            ScoreKind.Logits => _ => 0,
            ScoreKind.Margins => margin => -margin,
            _ => probability => 1 - probability,
        };
        Schema = CreateSchema(data.Schema, column);
    }

    public bool CanShuffle => _data.CanShuffle;

    public DataViewSchema Schema { get; }

    /// <summary>Adds the column if the scores are one number per row; else returns the view itself.</summary>
    /// <exception cref="InvalidOperationException">The column holds one number per row, and is not that of a binary model or its kind is unknown.</exception>
    public static IDataView AddIfBinary(IDataView scored, ScoreSpec scores) =>
        BinaryColumn.Find(scored.Schema, scores) is { } found ? new TwoClassScores(scored, scores.Column, found) : scored;

    /// <summary>The schema of the view that <see cref="AddIfBinary(IDataView, ScoreSpec)"/> returns.</summary>
    public static DataViewSchema AddIfBinary(DataViewSchema schema, ScoreSpec scores) =>
        BinaryColumn.Find(schema, scores) is null ? schema : CreateSchema(schema, scores.Column);

    public long? GetRowCount() => _data.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var (inputs, active) = Needed(columnsNeeded);
        return new Cursor(this, _data.GetRowCursor(inputs, rand), active);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        var (inputs, active) = Needed(columnsNeeded);
        return [.. _data.GetRowCursorSet(inputs, n, rand).Select(cursor => new Cursor(this, cursor, active))];
    }

    private static DataViewSchema CreateSchema(DataViewSchema schema, string column)
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(schema);
        var annotations = new DataViewSchema.Annotations.Builder();
        annotations.Add(
            AnnotatedNames.TrainingLabelValues,
            new VectorDataViewType(BooleanDataViewType.Instance, Classes.Length),
            (ref VBuffer<bool> values) => values = new VBuffer<bool>(Classes.Length, [.. Classes]));
        builder.AddColumn(column, new VectorDataViewType(NumberDataViewType.Single, Classes.Length), annotations.ToAnnotations());
        return builder.ToSchema();
    }

    private (IReadOnlyList<DataViewSchema.Column> Inputs, bool ScoresActive) Needed(IEnumerable<DataViewSchema.Column> columns)
    {
        var (needed, active) = ScoreColumn.SplitNeeded(_data.Schema, columns);
        if (active)
            needed.Add(_read.Index);
        return ([.. _data.Schema.Where(column => needed.Contains(column.Index))], active);
    }

    private sealed class Cursor(TwoClassScores scores, DataViewRowCursor input, bool scoresActive) : CursorOver(input)
    {
        public override DataViewSchema Schema => scores.Schema;

        public override bool IsColumnActive(DataViewSchema.Column column) =>
            ScoreColumn.IsScores(column, Input) ? scoresActive : base.IsColumnActive(Input.Schema[column.Index]);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) =>
            ScoreColumn.IsScores(column, Input) ? ScoreColumn.CastGetter<TValue>(column, Scores()) : base.GetGetter<TValue>(Input.Schema[column.Index]);

        private ValueGetter<VBuffer<float>> Scores()
        {
            var get = Input.GetGetter<float>(Input.Schema[scores._read.Index]);
            float score = 0;
            return (ref VBuffer<float> value) =>
            {
                get(ref score);
                var editor = VBufferEditor.Create(ref value, Classes.Length);
                (editor.Values[0], editor.Values[1]) = (scores._scoreOfFalse(score), score);
                value = editor.Commit();
            };
        }
    }
}

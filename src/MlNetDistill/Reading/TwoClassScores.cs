using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Alignment;

namespace MlNetDistill.Reading;

/// <summary>
/// The answers of a binary model, one number a row, as scores of its two classes: a view with one more column, under the name of the scores, for <c>false</c> and
/// for <c>true</c>.
/// </summary>
internal sealed class TwoClassScores : IDataView
{
    private static readonly bool[] Classes = [false, true];

    private readonly IDataView _data;
    private readonly DataViewSchema.Column _read;
    private readonly Func<float, float> _ofFalse;

    private TwoClassScores(IDataView data, string column, (DataViewSchema.Column Column, ScoreKind Kind) found)
    {
        _data = data;
        _read = found.Column;
        // The softmax of (0, m) and the shares of σ(-m) and σ(m) are both σ(m) for the second class.
        _ofFalse = found.Kind switch
        {
            ScoreKind.Logits => _ => 0,
            ScoreKind.Margins => margin => -margin,
            _ => probability => 1 - probability,
        };
        Schema = CreateSchema(data.Schema, column);
    }

    public bool CanShuffle => _data.CanShuffle;

    public DataViewSchema Schema { get; }

    /// <summary>The view itself where the column is a vector or not there, else the view with scores of two classes under the column's name.</summary>
    /// <param name="scored">A model's answers.</param>
    /// <param name="scores">What the caller says of the scores.</param>
    /// <exception cref="InvalidOperationException">The column holds one number a row, and is none of a binary model or nobody says what it is.</exception>
    public static IDataView AddIfBinary(IDataView scored, ScoreSpec scores) =>
        BinaryColumn.Find(scored.Schema, scores) is { } found ? new TwoClassScores(scored, scores.Column, found) : scored;

    /// <summary>The schema of <see cref="AddIfBinary(IDataView, ScoreSpec)"/>.</summary>
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
                (editor.Values[0], editor.Values[1]) = (scores._ofFalse(score), score);
                value = editor.Commit();
            };
        }
    }
}

using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Alignment;

namespace MlNetDistill.Reading;

/// <summary>
/// The scores of a binary model, one number per row, as scores of the two classes <c>false</c> and <c>true</c>: a view with one more column, which has the name of
/// the model's column.
/// </summary>
internal sealed class TwoClassScores : ScoresView
{
    private static readonly bool[] Classes = [false, true];

    private readonly Func<float, float> _scoreOfFalse;

    private TwoClassScores(IDataView data, string column, (DataViewSchema.Column Column, ScoreKind Kind) found)
        : base(data, column, Classes.Length, CreateAnnotations())
    {
        Source = found.Column;
        // The softmax of (0, m) and the shares of σ(-m) and σ(m) are both σ(m) for the second class.
        _scoreOfFalse = found.Kind switch
        {
            ScoreKind.Logits => _ => 0,
            ScoreKind.Margins => margin => -margin,
            _ => probability => 1 - probability,
        };
    }

    protected override DataViewSchema.Column? Source { get; }

    /// <summary>Adds the column if the scores are one number per row; else returns the view itself.</summary>
    /// <exception cref="InvalidOperationException">The column holds one number per row, and is not that of a binary model or its kind is unknown.</exception>
    public static IDataView AddIfBinary(IDataView scored, ScoreSpec scores) =>
        BinaryColumn.Find(scored.Schema, scores) is { } found ? new TwoClassScores(scored, scores.Column, found) : scored;

    /// <summary>The schema of the view that <see cref="AddIfBinary(IDataView, ScoreSpec)"/> returns.</summary>
    public static DataViewSchema AddIfBinary(DataViewSchema schema, ScoreSpec scores) =>
        BinaryColumn.Find(schema, scores) is null ? schema : AddColumn(schema, scores.Column, Classes.Length, CreateAnnotations());

    protected override ValueGetter<VBuffer<float>> CreateGetter(DataViewRowCursor input)
    {
        var get = input.GetGetter<float>(input.Schema[Source!.Value.Index]);
        float score = 0;
        return (ref VBuffer<float> value) =>
        {
            get(ref score);
            var editor = VBufferEditor.Create(ref value, Classes.Length);
            (editor.Values[0], editor.Values[1]) = (_scoreOfFalse(score), score);
            value = editor.Commit();
        };
    }

    private static DataViewSchema.Annotations CreateAnnotations()
    {
        var annotations = new DataViewSchema.Annotations.Builder();
        annotations.Add(
            AnnotatedNames.TrainingLabelValues,
            new VectorDataViewType(BooleanDataViewType.Instance, Classes.Length),
            (ref VBuffer<bool> values) => values = new VBuffer<bool>(Classes.Length, [.. Classes]));
        return annotations.ToAnnotations();
    }
}

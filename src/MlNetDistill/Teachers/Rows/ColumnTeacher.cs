using Microsoft.ML;
using MlNetDistill.Alignment;
using MlNetDistill.Networks;
using MlNetDistill.Reading;

namespace MlNetDistill.Teachers;

/// <summary>Scores in a column of the data; no model is run.</summary>
internal sealed class ColumnTeacher(ScoreSpec scores) : Teacher
{
    internal override bool IsReady => true;

    internal override string Name => $"the column '{scores.Column}'";

    internal override ModelOutputs CanProvide => scores.Outputs;

    internal override bool GivesLogits => scores.Kind == ScoreKind.Logits;

    internal override IEnumerable<string> Validate() => scores.ValidateColumns();

    internal override IEnumerable<DataViewSchema.Column> ColumnsRead(DataViewSchema schema) => [];

    internal override IEnumerable<DataViewSchema.Column>? InputsIn(DataViewSchema schema) => VectorsRead(schema).Select(vector => vector.Column);

    internal override IEnumerable<TeacherColumn> VectorsRead(DataViewSchema schema)
    {
        string?[] names = [scores.Column, scores.Embedding];
        return names.OfType<string>().Select(schema.GetColumnOrNull).OfType<DataViewSchema.Column>().Select(column => new TeacherColumn(column, HoldsScores: true));
    }

    internal override DataViewSchema.Column? ClassesIn(DataViewSchema schema)
    {
        CheckSchema(schema);
        return ScoredView.ClassesIn(schema, scores);
    }

    internal override PreparedTeacher PrepareForFit(TeacherRequest request)
    {
        CheckSchema(request.Data.Schema);
        BinaryColumn.LogChoice(request.Data.Schema, scores, request.Channel);
        ScoredView CreateView(IDataView rows, string place) => ScoredView.Find(rows, scores, request.Columns.Classes, request.Options, place);
        var view = CreateView(request.Data, "");
        var teacher = new ScoredTeacher(
            view.Read,
            new OutputShapes(request.Columns.Classes.Count, view.EmbeddingLength, []),
            () => "",
            request,
            // The scores are in the data; a cache in a folder would only copy them.
            request.TeacherCaching.WithoutFolder(),
            createView: CreateView);
        return new PreparedTeacher([new Anchor("teacher", 1, teacher)], null);
    }

    private void CheckSchema(DataViewSchema schema)
    {
        if (schema.GetColumnOrNull(scores.Column) is null)
        {
            throw new InvalidOperationException(
                $"The data hold no column '{scores.Column}' with the teacher's scores. They hold " +
                $"{string.Join(", ", schema.Where(c => !c.IsHidden).Select(c => $"'{c.Name}'"))}; name one of them in Teacher.FromColumn.");
        }
    }
}

using Microsoft.ML;
using MlNetDistill.Alignment;
using MlNetDistill.Networks;
using MlNetDistill.Reading;

namespace MlNetDistill.Teachers;

/// <summary>Scores in a column of the data; no model is run.</summary>
internal sealed class ColumnTeacher(ScoreColumns columns) : Teacher
{
    internal override bool IsReady => true;

    internal override string Name => $"the column '{columns.Score}'";

    internal override ModelOutputs CanProvide => columns.Kinds;

    internal override IEnumerable<string> Validate() => columns.Validate();

    internal override IEnumerable<DataViewSchema.Column> ColumnsRead(DataViewSchema schema) => [];

    internal override IEnumerable<TeacherVector> VectorsRead(DataViewSchema schema)
    {
        string?[] names = [columns.Score, columns.Embedding];
        return names.OfType<string>().Select(schema.GetColumnOrNull).OfType<DataViewSchema.Column>().Select(column => new TeacherVector(column, IsAnswer: true));
    }

    internal override DataViewSchema.Column? ClassesIn(DataViewSchema schema)
    {
        CheckSchema(schema);
        return columns.ClassesIn(schema);
    }

    internal override PreparedTeacher Ask(TeacherRequest question)
    {
        CheckSchema(question.Data.Schema);
        columns.NoteTwoClasses(question.Data.Schema, question.Channel);
        ScoredView ViewOf(IDataView rows, string place) => columns.In(rows, question.Columns.Classes, RecognisedScores.None, place);
        var view = ViewOf(question.Data, "");
        var teacher = new ScoredTeacher(
            (asked, kept, from) => view.Read(asked, kept, from, question.Options.BatchSize, question.Options.CancellationToken),
            new OutputShapes(question.Columns.Classes.Count, view.EmbeddingLength, []),
            () => "",
            question,
            // The data are their own record.
            question.TeacherCaching.ForThisRun(),
            viewOf: ViewOf);
        return new PreparedTeacher([new Anchor("teacher", 1, teacher)], null);
    }

    private void CheckSchema(DataViewSchema schema)
    {
        if (schema.GetColumnOrNull(columns.Score) is null)
        {
            throw new InvalidOperationException(
                $"The data hold no column '{columns.Score}' with the teacher's scores. They hold " +
                $"{string.Join(", ", schema.Where(c => !c.IsHidden).Select(c => $"'{c.Name}'"))}; name one of them in Teacher.FromColumn.");
        }
    }
}

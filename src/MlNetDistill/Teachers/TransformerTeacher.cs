using Microsoft.ML;

namespace MlNetDistill.Teachers;

internal sealed class TransformerTeacher(ITransformer transformer, ScoreColumn score, bool acceptOverwrittenInputs) : Teacher
{
    internal override IEnumerable<string> Faults() => score.Faults();

    internal override TeacherAnswer Ask(TeacherQuestion question)
    {
        if (!acceptOverwrittenInputs)
            RefuseOverwrittenInputs(question.Data.Schema);
        var scores = score.Read(transformer, question.Data, question.Options.CancellationToken, out var order, question.Columns.Classes);
        return new TeacherAnswer(scores.ToRecord(score.Kind, order), transformer);
    }

    /// <summary>
    /// A teacher is a model over raw columns. Where an earlier step of the pipeline wrote a new column under the name of one of its inputs
    /// (a normaliser without an output name, say), the teacher would silently read the new one.
    /// </summary>
    private void RefuseOverwrittenInputs(DataViewSchema schema)
    {
        if (!transformer.IsRowToRowMapper)
            return;
        var mapper = transformer.GetRowToRowMapper(schema);
        if (mapper.OutputSchema.GetColumnOrNull(score.Name) is not { } output)
            return;
        foreach (var input in mapper.GetDependencies([output]))
        {
            if (!schema.Any(c => c.Name == input.Name && c.Index < input.Index))
                continue;
            throw new InvalidOperationException(
                $"The teacher reads column '{input.Name}', and an earlier step of this pipeline overwrote that column, so the teacher would score changed values. " +
                "Give the step an output name of its own, for example NormalizeMeanVariance(\"Scaled\", \"" + input.Name + "\"), and use that for the student.");
        }
    }
}

using Microsoft.ML;

namespace MlNetDistill.Teachers;

internal sealed class TransformerTeacher(ITransformer transformer, ScoreColumn score, bool acceptOverwrittenInputs) : Teacher
{
    internal override IEnumerable<string> Faults() => score.Faults();

    internal override TeacherAnswer Ask(TeacherQuestion question)
    {
        CheckSchema(question.Data.Schema);
        if (!acceptOverwrittenInputs)
            RefuseOverwrittenInputs(question.Data.Schema);
        return TeacherAnswer.OfRecord(score.Ask(transformer, question.Data, question), transformer, question);
    }

    /// <summary>
    /// A model runs whole, with steps that its scores do not depend on, such as the one that made its own label a key. Where an earlier step
    /// of the pipeline did the same in place, ML.NET says only that types differ.
    /// </summary>
    private void CheckSchema(DataViewSchema schema)
    {
        try
        {
            transformer.GetOutputSchema(schema);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            var overwritten = schema.Where(c => c.IsHidden).Select(c => c.Name).Distinct().ToList();
            if (overwritten.Count == 0)
                throw;
            throw new InvalidOperationException(
                "The teacher cannot run on the columns of this pipeline, in which an earlier step overwrote " +
                $"{string.Join(", ", overwritten.Select(name => $"'{name}'"))}. Give the step an output name of its own, " +
                $"for example MapValueToKey(\"Class\", \"{overwritten[0]}\"), and use that for the student. ML.NET says: {e.Message}",
                e);
        }
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

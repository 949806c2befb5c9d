using Microsoft.ML;
using MlNetDistill.Alignment;
using MlNetDistill.Core;
using MlNetDistill.Diagnostics;
using MlNetDistill.Export;
using MlNetDistill.Networks;
using MlNetDistill.Reading;

namespace MlNetDistill.Teachers;

internal sealed class TransformerTeacher(ITransformer transformer, ScoreSpec scores, bool acceptOverwrittenInputs, string? cacheKey) : Teacher
{
    internal override bool IsReady => true;

    internal override string Name => "an ML.NET model";

    internal override ModelOutputs CanProvide => scores.Outputs;

    internal override bool GivesLogits => scores.Kind == ScoreKind.Logits;

    internal override IEnumerable<string> Validate() => scores.ValidateColumns();

    internal override IEnumerable<DataViewSchema.Column> ColumnsRead(DataViewSchema schema)
    {
        CheckSchema(schema);
        return transformer.IsRowToRowMapper && FindInputs(schema) is { } inputs ? inputs : schema.Where(c => !c.IsHidden);
    }

    internal override IEnumerable<DataViewSchema.Column>? InputsIn(DataViewSchema schema)
    {
        CheckSchema(schema);
        return transformer.IsRowToRowMapper ? FindInputs(schema) : null;
    }

    internal override DataViewSchema.Column? ClassesIn(DataViewSchema schema)
    {
        CheckSchema(schema);
        return ScoredView.ClassesIn(AddMissingColumns(schema).GetOutputSchema(schema), scores);
    }

    internal override PreparedTeacher PrepareForFit(TeacherRequest request)
    {
        var schema = request.Data.Schema;
        CheckSchema(schema);
        if (!acceptOverwrittenInputs)
            CheckOverwrittenInputs(request);
        var known = scores.AdaptTo(transformer);
        if (known.Kind != scores.Kind)
            request.Channel.Info($"The teacher is a naive Bayes model, whose scores are joint log-probabilities: they are taken as logits.");
        BinaryColumn.LogChoice(AddMissingColumns(schema).GetOutputSchema(schema), scores, request.Channel);
        ScoredView CreateView(IDataView rows, string place) => ScoredView.Find(AddMissingColumns(rows.Schema).Transform(rows), known, request.Columns.Classes, request.Options, place, model: Name);
        var view = CreateView(request.Data, "");
        var teacher = new ScoredTeacher(
            view.Read,
            new OutputShapes(request.Columns.Classes.Count, view.EmbeddingLength, []),
            () => Fingerprint.Compute($"{cacheKey ?? ModelHash.Compute(request.Context, transformer, schema)}|{scores.Description}"),
            request,
            request.TeacherCaching,
            createView: CreateView);
        return new PreparedTeacher([new Anchor("teacher", 1, teacher)], transformer);
    }

    /// <summary>The model with empty columns for steps that its scores do not depend on, such as the step that converted its label to a key.</summary>
    private ITransformer AddMissingColumns(DataViewSchema schema) => EmptyColumns.AddTo(transformer, schema, scores.Column, scores.Embedding);

    /// <summary>Checks that the model can run. If an earlier step of the pipeline overwrote one of its columns, ML.NET's message says only that types differ.</summary>
    private void CheckSchema(DataViewSchema schema)
    {
        try
        {
            AddMissingColumns(schema).GetOutputSchema(schema);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            var overwritten = schema.Where(c => c.IsHidden).Select(c => c.Name).Distinct().ToList();
            if (overwritten.Count == 0)
            {
                throw new InvalidOperationException(
                    $"The teacher cannot run on the columns that the trainer receives: {e.Message} They are " +
                    $"{string.Join(", ", schema.Select(c => $"'{c.Name}' ({c.Type})"))}; the teacher needs those that it was fitted on, by their names and types.",
                    e);
            }

            throw new InvalidOperationException(
                "The teacher cannot run on the columns of this pipeline, in which an earlier step overwrote " +
                $"{string.Join(", ", overwritten.Select(name => $"'{name}'"))}. Give the step an output name of its own, " +
                $"for example MapValueToKey(\"Class\", \"{overwritten[0]}\"), and use that for the student. ML.NET says: {e.Message}",
                e);
        }
    }

    /// <summary>
    /// Throws if an earlier step of the pipeline overwrote an input column of the model (a normaliser without an output name, for example): the model would read the new
    /// values although it was fitted on the old ones.
    /// </summary>
    private void CheckOverwrittenInputs(TeacherRequest request)
    {
        if (!transformer.IsRowToRowMapper)
            return;
        foreach (var input in FindInputs(request.Data.Schema) ?? [])
        {
            if (!UnreadableRow.LocateFailure(() => OverwrittenColumn.IsOverwritten(request.Given, input, request.Options.CancellationToken)))
                continue;
            throw new InvalidOperationException(
                $"The teacher reads column '{input.Name}', and an earlier step of this pipeline overwrote that column, so the teacher would score changed values. " +
                "Give the step an output name of its own, for example NormalizeMeanVariance(\"Scaled\", \"" + input.Name + "\"), and use that for the student. " +
                "If the teacher was fitted on the changed values, set acceptOverwrittenInputs: true.");
        }
    }

    private IEnumerable<DataViewSchema.Column>? FindInputs(DataViewSchema schema)
    {
        var mapper = AddMissingColumns(schema).GetRowToRowMapper(schema);
        DataViewSchema.Column?[] outputs = [mapper.OutputSchema.GetColumnOrNull(scores.Column), scores.Embedding is { } name ? mapper.OutputSchema.GetColumnOrNull(name) : null];
        return outputs[0] is null ? null : mapper.GetDependencies(outputs.OfType<DataViewSchema.Column>());
    }
}

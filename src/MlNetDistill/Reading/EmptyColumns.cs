using System.Text.RegularExpressions;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Reading;

/// <summary>
/// Columns that a model wants and its answers do not depend on, such as the label that its training made a key of: rows without labels need not have them.
/// </summary>
internal static partial class EmptyColumns
{
    /// <summary>
    /// The model itself where it can run on such rows, or cannot for another reason; else the model behind steps that add what is missing, as empty text.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="answers">Columns of answers, which must not depend on what is added; null for none.</param>
    public static ITransformer AddTo(ITransformer model, DataViewSchema rows, params IEnumerable<string?> answers)
    {
        var (steps, schema) = (new List<ITransformer>(), rows);
        while (MissingIn(model, schema) is { } name)
        {
            var step = Empty(name, schema);
            schema = step.GetOutputSchema(schema);
            steps.Add(step);
        }

        if (steps.Count == 0 || FindError(model, schema) is not null || !model.IsRowToRowMapper)
            return model;
        var mapper = model.GetRowToRowMapper(schema);
        var outputs = answers.OfType<string>().Select(mapper.OutputSchema.GetColumnOrNull).OfType<DataViewSchema.Column>();
        return mapper.GetDependencies(outputs).Any(column => column.Index >= rows.Count) ? model : new TransformerChain<ITransformer>([.. steps, model]);
    }

    /// <summary>Name of a column that the model does not find; null if it finds all or fails for another reason. ML.NET names it only in a message.</summary>
    private static string? MissingIn(ITransformer model, DataViewSchema schema) =>
        FindError(model, schema) is { } error && NotFound().Match(error) is { Success: true } match && schema.GetColumnOrNull(match.Groups[1].Value) is null
            ? match.Groups[1].Value
            : null;

    /// <summary>Why the model cannot run on such columns; null if it can.</summary>
    private static string? FindError(ITransformer model, DataViewSchema schema)
    {
        try
        {
            model.GetOutputSchema(schema);
            return null;
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            return e.Message;
        }
    }

    private static ITransformer Empty(string name, DataViewSchema schema)
    {
        var definition = SchemaDefinition.Create(typeof(Text));
        definition[nameof(Text.Value)].ColumnName = name;
        return new MLContext().Transforms.CustomMapping<Nothing, Text>((_, text) => text.Value = "", null, outputSchemaDefinition: definition).Fit(new EmptyView(schema));
    }

    [GeneratedRegex("Could not find .*column '([^']+)'")]
    private static partial Regex NotFound();

    private sealed class Nothing;

    private sealed class Text
    {
        public string Value { get; set; } = "";
    }
}

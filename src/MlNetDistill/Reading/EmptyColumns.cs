using System.Text.RegularExpressions;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Reading;

/// <summary>
/// Adds columns that a model requires although its outputs do not depend on them, such as the label that its training converted to a key. Rows to score need not
/// have them.
/// </summary>
internal static partial class EmptyColumns
{
    /// <summary>
    /// The model with steps before it that add the missing columns, as empty text; the model itself if no column is missing or it fails for another reason.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="outputs">Output columns that are read, which must not depend on what is added.</param>
    public static ITransformer AddTo(ITransformer model, DataViewSchema rows, params IEnumerable<string?> outputs)
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
        var read = outputs.OfType<string>().Select(mapper.OutputSchema.GetColumnOrNull).OfType<DataViewSchema.Column>();
        return mapper.GetDependencies(read).Any(column => column.Index >= rows.Count) ? model : new TransformerChain<ITransformer>([.. steps, model]);
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

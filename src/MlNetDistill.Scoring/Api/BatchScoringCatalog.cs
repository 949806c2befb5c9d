using MlNetDistill;

namespace Microsoft.ML;

/// <summary>Scoring in batches.</summary>
public static class BatchScoringCatalog
{
    /// <summary>Makes a scorer that gives what a model gives, but scores with its student in batches.</summary>
    /// <param name="catalog">The catalog, <c>mlContext.Model</c>.</param>
    /// <param name="model">
    /// A fitted or loaded model with a student anywhere in its pipeline. It must stay usable as long as the scorer: the other steps of the pipeline are the model's own.
    /// </param>
    /// <param name="inputSchema">The columns that the model reads: those of the training data, or what <c>mlContext.Model.Load</c> returned.</param>
    /// <param name="options">Settings; null for the defaults.</param>
    /// <exception cref="InvalidOperationException">The model contains no student.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A setting is out of its range; the message names all of these.</exception>
    /// <example>
    /// <code>
    /// var model = mlContext.Model.Load("student.zip", out var inputSchema);
    /// using var scorer = mlContext.Model.CreateBatchScorer(model, inputSchema);
    /// var scored = scorer.Transform(rows);
    /// </code>
    /// </example>
    public static BatchScorer CreateBatchScorer(this ModelOperationsCatalog catalog, ITransformer model, DataViewSchema inputSchema, BatchScoringOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(inputSchema);
        options ??= new();
        options.Validate();
        return BatchScorer.Create(catalog, model, inputSchema, options);
    }
}

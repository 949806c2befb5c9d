using Microsoft.ML.Data;
using MlNetDistill.Evaluation;
using MlNetDistill.Export;

namespace Microsoft.ML;

/// <summary>What a model costs, in ML.NET's catalog of model operations.</summary>
public static class CostCatalog
{
    /// <summary>Measures what a model costs the application that scores with it: microseconds a row, bytes of its zip, bytes of memory.</summary>
    /// <remarks>
    /// Each time includes what the whole model does, from the columns of <typeparamref name="TRow"/> to its scores. Nothing else should run meanwhile. Several
    /// models are compared fairly one after another in one process, but for their memory (see <see cref="ModelCost.PeakMemoryBytes"/>).
    /// </remarks>
    /// <param name="catalog">The model operations.</param>
    /// <param name="model">Any model that scores row by row; a teacher as well as a student. It is not disposed of.</param>
    /// <param name="rows">
    /// Rows to score, at least one, taken in turn. A pass of <see cref="ModelCost.Batch"/> goes over all of them, so of a few it tells mostly what it costs to
    /// begin one; about a thousand are enough.
    /// </param>
    /// <param name="scoreColumnName">The model's scores, a vector of Single: what is read of each row. ML.NET computes nothing that is not read.</param>
    /// <param name="inputSchemaDefinition">
    /// The columns of <typeparamref name="TRow"/>, where its attributes do not say them; vectors must have their size.
    /// </param>
    /// <param name="options">How much is measured; the defaults if null.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// A setting is out of its range, or a column is missing or of the wrong type; the message says which and what to do.
    /// </exception>
    /// <exception cref="ArgumentException">There are no rows, or one is null.</exception>
    /// <exception cref="InvalidOperationException">The model does not score row by row, or cannot be saved and loaded.</exception>
    /// <example>
    /// <code>
    /// var cost = mlContext.Model.MeasureCost(model, testRows);
    /// Console.WriteLine($"{cost.SingleRow.Median:0.0} µs a row, {cost.ZipBytes / 1024} KB");
    /// </code>
    /// </example>
    public static ModelCost MeasureCost<TRow>(
        this ModelOperationsCatalog catalog,
        ITransformer model,
        IEnumerable<TRow> rows,
        string scoreColumnName = "Score",
        SchemaDefinition? inputSchemaDefinition = null,
        CostOptions? options = null)
        where TRow : class
    {
        ArgumentNullException.ThrowIfNull(model);
        return CreateMeasurement(catalog, rows, scoreColumnName, inputSchemaDefinition, options).Measure(model);
    }

    /// <summary>
    /// Measures what a saved model costs the application that scores with it. In a process that has done nothing else this is what an application pays: its
    /// memory then includes what the model's runtimes take that nothing had loaded before.
    /// </summary>
    /// <param name="catalog">The model operations.</param>
    /// <param name="path">A zip that <c>Model.Save</c> wrote.</param>
    /// <param name="rows">Rows to score, at least one, taken in turn.</param>
    /// <param name="scoreColumnName">The model's scores, a vector of Single.</param>
    /// <param name="inputSchemaDefinition">
    /// The columns of <typeparamref name="TRow"/>, where its attributes do not say them; vectors must have their size.
    /// </param>
    /// <param name="options">How much is measured; the defaults if null.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// A setting is out of its range, or a column is missing or of the wrong type; the message says which and what to do.
    /// </exception>
    /// <exception cref="ArgumentException">There are no rows, or one is null.</exception>
    /// <exception cref="InvalidOperationException">The model does not score row by row, or cannot be loaded.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static ModelCost MeasureCost<TRow>(
        this ModelOperationsCatalog catalog,
        string path,
        IEnumerable<TRow> rows,
        string scoreColumnName = "Score",
        SchemaDefinition? inputSchemaDefinition = null,
        CostOptions? options = null)
        where TRow : class
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var measurement = CreateMeasurement(catalog, rows, scoreColumnName, inputSchemaDefinition, options);
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no file {Path.GetFullPath(path)}. Give the path of a model that mlContext.Model.Save wrote.", path);
        return measurement.Measure(path);
    }

    private static CostMeasurement<TRow> CreateMeasurement<TRow>(
        ModelOperationsCatalog catalog, IEnumerable<TRow> rows, string score, SchemaDefinition? definition, CostOptions? options)
        where TRow : class
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(score, "scoreColumnName");
        options ??= new CostOptions();
        options.Check();
        return new CostMeasurement<TRow>(InBox.EnvironmentOf(catalog), [.. rows], score, definition, options);
    }
}

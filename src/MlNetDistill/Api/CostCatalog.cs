using Microsoft.ML.Data;
using MlNetDistill.Evaluation;
using MlNetDistill.Export;

namespace Microsoft.ML;

/// <summary>Measures what a model costs, from ML.NET's catalog of model operations.</summary>
public static class CostCatalog
{
    /// <summary>Measures what a model costs the application that scores with it: time per row, size of its zip file, and memory.</summary>
    /// <remarks>
    /// Times are of the whole model, from the columns of <typeparamref name="TRow"/> to its scores. Nothing else should run at the same time. Several models can be
    /// measured one after another in one process; only their memory is then not comparable (see <see cref="ModelCost.PeakMemoryBytes"/>).
    /// </remarks>
    /// <param name="catalog">The model operations.</param>
    /// <param name="model">Any model that scores row by row; a teacher as well as a student. It is not disposed.</param>
    /// <param name="rows">
    /// Rows to score, at least one, taken in turn. A pass for <see cref="ModelCost.Batch"/> scores all of them: with only a few rows, the overhead of a pass
    /// dominates. About a thousand are enough.
    /// </param>
    /// <param name="scoreColumnName">The model's scores, a vector of Single. Only this column is read, and ML.NET computes only what is read.</param>
    /// <param name="inputSchemaDefinition">
    /// The columns of <typeparamref name="TRow"/>, if its attributes do not define them; vectors need a size.
    /// </param>
    /// <param name="options">The number of measurements; the defaults if null.</param>
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
    /// Measures what a saved model costs the application that scores with it. In a process that has done nothing else, its memory includes that of the runtimes
    /// that the model loads, as in an application.
    /// </summary>
    /// <param name="catalog">The model operations.</param>
    /// <param name="path">A zip that <c>Model.Save</c> wrote.</param>
    /// <param name="rows">Rows to score, at least one, taken in turn.</param>
    /// <param name="scoreColumnName">The model's scores, a vector of Single.</param>
    /// <param name="inputSchemaDefinition">
    /// The columns of <typeparamref name="TRow"/>, if its attributes do not define them; vectors need a size.
    /// </param>
    /// <param name="options">The number of measurements; the defaults if null.</param>
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

using Microsoft.ML;
using MlNetDistill.Export;

namespace MlNetDistill.Students;

/// <summary>
/// A model as a list of ML.NET's own transformers, each with the schema that it reads. A student that <c>Fit</c> returned is saved and loaded for that: this package does
/// not know its type, and loaded it is what it is in a saved model.
/// </summary>
internal sealed class ModelSteps(ModelOperationsCatalog catalog) : IDisposable
{
    private const string Trainer = "MlNetDistill";
    private readonly List<(ITransformer Transformer, DataViewSchema Input)> _steps = [];
    private readonly List<ITransformer> _loaded = [];

    public IReadOnlyList<(ITransformer Transformer, DataViewSchema Input)> Steps => _steps;

    /// <summary>Takes a model apart.</summary>
    /// <param name="model">The model.</param>
    /// <param name="input">The columns that it reads.</param>
    /// <returns>The columns that it gives.</returns>
    public DataViewSchema Add(ITransformer model, DataViewSchema input)
    {
        if (model is IEnumerable<ITransformer> chain)
            return chain.Aggregate(input, (schema, part) => Add(part, schema));
        if (model.GetType().Assembly.GetName().Name == Trainer)
            return Add(Reload(model, input), input);
        _steps.Add((model, input));
        return model.GetOutputSchema(input);
    }

    /// <summary>Disposes what was loaded.</summary>
    public void Dispose()
    {
        foreach (var model in _loaded.OfType<IDisposable>())
            model.Dispose();
    }

    private ITransformer Reload(ITransformer student, DataViewSchema input)
    {
        using var zip = new MemoryStream();
        catalog.Save(student, input, zip);
        var model = OnnxFileName.LoadWithRetry(() =>
        {
            zip.Position = 0;
            return catalog.Load(zip, out _);
        });
        _loaded.Add(model);
        return model;
    }
}

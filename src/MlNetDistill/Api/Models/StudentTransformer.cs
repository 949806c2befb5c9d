using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Export;
using MlNetDistill.Networks;

namespace MlNetDistill;

/// <summary>
/// A trained student as an ML.NET model. Scoring and saving use ML.NET's own transformers only, so the saved model loads without this package and without TorchSharp. It
/// is immutable and thread-safe.
/// </summary>
/// <remarks>
/// It is deliberately not disposable: a <c>PredictionEngine</c> disposes its transformer, and other engines and a later save must still work. Native memory is
/// released when the garbage collector collects the model.
/// </remarks>
public abstract class StudentTransformer : ITransformer
{
    private readonly DataViewSchema _inputSchema;
    private readonly MLContext _context;

    private protected StudentTransformer(MLContext context, StudentChain chain, DataViewSchema inputSchema) => (_context, Chain, _inputSchema) = (context, chain, inputSchema);

    /// <summary>Name of the feature column.</summary>
    public string FeatureColumnName => Chain.Features.Name;

    /// <summary>Type of the feature column.</summary>
    public DataViewType FeatureColumnType => Chain.Features.Type;

    /// <inheritdoc/>
    public bool IsRowToRowMapper => true;

    /// <summary>The student as a chain of ML.NET's transformers.</summary>
    private protected StudentChain Chain { get; }

    private protected MLContext Context => _context;

    private protected DataViewSchema InputSchema => _inputSchema;

    /// <inheritdoc/>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return Chain.Scoring.GetOutputSchema(inputSchema);
    }

    /// <inheritdoc/>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return Chain.Scoring.GetRowToRowMapper(inputSchema);
    }

    /// <inheritdoc/>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return Chain.Scoring.Transform(input);
    }

    /// <summary>
    /// Writes the student as a stand-alone ONNX model for use outside ML.NET. Its input is <see cref="FeatureColumnName"/> (batch×length, bytes or floats as in training,
    /// an image as one row of values in the column's order). The outputs of a classifier are <c>Score</c> (batch×K probabilities) and <c>Class</c> (index from 0 in the
    /// order of the key values); that of a student of embeddings is <see cref="EmbeddingTransformer.OutputColumnName"/>, batch×D of length 1. If the feature column is
    /// named like an output, the input is called <c>Features</c>. ML.NET's own <c>ConvertToOnnx</c> omits transformers that it does not know.
    /// </summary>
    public void SaveOnnx(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var network = CreateNetwork();
        stream.Write(Chain.WriteOnnx(network));
    }

    /// <summary>
    /// Saves this model, without the rest of its pipeline, so that <paramref name="path"/> always holds either the old file or the complete new one, with the
    /// hashes that <c>mlContext.Model.LoadVerified</c> compares. For a whole pipeline: <c>mlContext.Model.SaveAtomically(model, schema, path)</c>.
    /// </summary>
    public void SaveAtomically(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ZipManifest.Save(_context.TempFilePath, this, _inputSchema, path);
    }

    /// <summary>Called by <c>Model.Save</c>.</summary>
    void ICanSaveModel.Save(ModelSaveContext ctx) => Chain.Save(ctx);

    /// <summary>The student's network with its trained weights; the caller disposes it.</summary>
    private protected abstract Network CreateNetwork();
}

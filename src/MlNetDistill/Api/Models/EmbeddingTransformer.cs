using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;
using MlNetDistill.Export;

namespace MlNetDistill;

/// <summary>
/// A student of embeddings as an ML.NET model: it adds a vector of Single of length 1. Scoring and saving use ML.NET's own transformers only, so the saved model loads
/// without this package and without TorchSharp. It is immutable and thread-safe.
/// </summary>
public sealed class EmbeddingTransformer : ITransformer
{
    private readonly StudentChain _chain;
    private readonly DataViewSchema _inputSchema;
    private readonly MLContext _context;

    internal EmbeddingTransformer(MLContext context, StudentChain chain, DataViewSchema inputSchema, DistilledEmbedding model)
    {
        _context = context;
        _chain = chain;
        _inputSchema = inputSchema;
        Model = model;
    }

    /// <summary>The student's network and how it was trained.</summary>
    public DistilledEmbedding Model { get; }

    /// <summary>Name of the feature column.</summary>
    public string FeatureColumnName => _chain.Features.Name;

    /// <summary>Name of the output column with the embeddings.</summary>
    public string OutputColumnName => _chain.Score;

    /// <inheritdoc/>
    public bool IsRowToRowMapper => true;

    /// <inheritdoc/>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return _chain.Scoring.GetOutputSchema(inputSchema);
    }

    /// <inheritdoc/>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return _chain.Scoring.GetRowToRowMapper(inputSchema);
    }

    /// <inheritdoc/>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return _chain.Scoring.Transform(input);
    }

    /// <summary>The student and its columns.</summary>
    public override string ToString() => $"{Model.Spec.Name} from '{FeatureColumnName}' to '{OutputColumnName}'";

    /// <summary>
    /// Writes the student as a stand-alone ONNX model for use outside ML.NET. Its input is <see cref="FeatureColumnName"/> (batch×length, bytes or floats as in training);
    /// its output is <see cref="OutputColumnName"/>, batch×D of length 1.
    /// </summary>
    public void SaveOnnx(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var network = Model.ToNetwork();
        stream.Write(_chain.WriteOnnx(network));
    }

    /// <summary>
    /// Saves this model, without the rest of its pipeline, so that <paramref name="path"/> always holds either the old file or the complete new one, with the
    /// hashes that <c>mlContext.Model.LoadVerified</c> compares.
    /// </summary>
    public void SaveAtomically(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var folder = new TemporaryFolder(_context.TempFilePath);
        ZipManifest.Save(new MLContext { TempFilePath = folder.Path }.Model, this, _inputSchema, path);
    }

    /// <summary>Called by <c>Model.Save</c>.</summary>
    void ICanSaveModel.Save(ModelSaveContext ctx) => _chain.Save(ctx);
}

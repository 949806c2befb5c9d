using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;
using MlNetDistill.Evaluation;
using MlNetDistill.Export;

namespace MlNetDistill;

/// <summary>
/// A distilled student as an ML.NET model: class probabilities in <c>Score</c>, the predicted class as a key in <c>PredictedLabel</c>. In a longer pipeline,
/// <c>model.FindStudent()</c> finds it. It is immutable and thread-safe. Scoring and saving use ML.NET's own transformers only, so the saved model loads without
/// this package and without TorchSharp.
/// </summary>
/// <remarks>
/// It is deliberately not disposable: a <c>PredictionEngine</c> disposes its transformer, and other engines and a later save must still work. Native memory is
/// released when the garbage collector collects the model.
/// Permutation feature importance works with this type (its typed overload) before the model is saved. A loaded model is a chain of ML.NET's transformers, in
/// which it finds no predictor.
/// </remarks>
public sealed class DistillationTransformer : ISingleFeaturePredictionTransformer<DistilledStudent>
{
    private readonly StudentChain _chain;
    private readonly DataViewSchema _inputSchema;
    private readonly MLContext _context;

    internal DistillationTransformer(
        MLContext context, StudentChain chain, DataViewSchema inputSchema, DistilledStudent model, ITransformer? teacher)
    {
        _context = context;
        _chain = chain;
        _inputSchema = inputSchema;
        Model = model;
        Teacher = teacher;
    }

    /// <summary>The student's network and how it was trained.</summary>
    public DistilledStudent Model { get; }

    /// <summary>
    /// The teacher as an ML.NET model: the model given, or the one that was fitted or trained in <c>Fit</c>. Null if there was none, or one for each fold. It is not
    /// saved with the student.
    /// </summary>
    public ITransformer? Teacher { get; }

    /// <summary>
    /// The same student trained on the labels alone, if <see cref="DistillationOptions.CompareAlone"/> asks for it; null otherwise, and where the fit was cancelled before
    /// it was trained. It is not saved with this student. <c>model.WithStudentAlone()</c> puts it into the pipeline in this student's place.
    /// </summary>
    public DistillationTransformer? Alone { get; internal init; }

    /// <summary>
    /// Whether distilling paid: this student and <see cref="Alone"/> compared on the held-out rows. Null without <see cref="Alone"/> or without held-out rows, and where
    /// these have neither labels nor answers of the teacher.
    /// </summary>
    public DistillationPayoff? Comparison { get; internal init; }

    /// <summary>Hashes of the training rows; null for a teacher.</summary>
    internal TrainedRows? TrainedRows { get; init; }

    /// <summary>Name of the feature column.</summary>
    public string FeatureColumnName => _chain.Features.Name;

    /// <summary>Type of the feature column.</summary>
    public DataViewType FeatureColumnType => _chain.Features.Type;

    /// <summary>Name of the output column with the class probabilities.</summary>
    public string ScoreColumnName => _chain.Score;

    /// <summary>Name of the output column with the predicted class.</summary>
    public string PredictedLabelColumnName => _chain.PredictedLabel;

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
    public override string ToString() => $"{Model.Spec.Name} from '{FeatureColumnName}' to '{ScoreColumnName}' and '{PredictedLabelColumnName}'";

    /// <summary>
    /// Writes the student as a stand-alone ONNX classifier for use outside ML.NET. Its input is <see cref="FeatureColumnName"/> (batch×length, bytes or floats as in
    /// training, an image as one row of values in the column's order); its outputs are <c>Score</c> (batch×K probabilities) and <c>Class</c> (index from 0 in the
    /// order of the key values). If the feature column is named like an output, the input is called <c>Features</c>. ML.NET's own <c>ConvertToOnnx</c> omits
    /// transformers that it does not know.
    /// </summary>
    public void SaveOnnx(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var network = Model.ToNetwork();
        stream.Write(_chain.WriteOnnx(network));
    }

    /// <summary>
    /// Saves this model, without the rest of its pipeline, so that <paramref name="path"/> always holds either the old file or the complete new one, with the
    /// hashes that <c>mlContext.Model.LoadVerified</c> compares. For a whole pipeline: <c>mlContext.Model.SaveAtomically(model, schema, path)</c>.
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

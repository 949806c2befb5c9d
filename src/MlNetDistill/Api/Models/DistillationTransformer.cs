using Microsoft.ML;
using MlNetDistill.Evaluation;
using MlNetDistill.Export;
using MlNetDistill.Networks;

namespace MlNetDistill;

/// <summary>
/// A distilled student as an ML.NET model: class probabilities in <c>Score</c>, the predicted class as a key in <c>PredictedLabel</c>. In a longer pipeline,
/// <c>model.FindStudent()</c> finds it.
/// </summary>
/// <remarks>
/// Permutation feature importance works with this type (its typed overload) before the model is saved. A loaded model is a chain of ML.NET's transformers, in
/// which it finds no predictor.
/// </remarks>
public sealed class DistillationTransformer : StudentTransformer, ISingleFeaturePredictionTransformer<DistilledStudent>
{
    internal DistillationTransformer(
        MLContext context, StudentChain chain, DataViewSchema inputSchema, DistilledStudent model, ITransformer? teacher)
        : base(context, chain, inputSchema) => (Model, Teacher) = (model, teacher);

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
    /// Whether distilling paid: this student and <see cref="Alone"/> compared on the held-out rows. Null without <see cref="Alone"/> or without held-out rows, where
    /// these have neither labels nor answers of the teacher, and for a student in another precision, which it was not measured for.
    /// </summary>
    public DistillationPayoff? Comparison { get; internal init; }

    /// <summary>
    /// The other precision that <c>model.WithPrecision(...)</c> stored this student in, and what that cost on its test rows; null for the student as it was trained, whose weights are 32-bit
    /// floats.
    /// </summary>
    public PrecisionResult? Precision { get; private init; }

    /// <summary>Hashes of the training rows; null for a teacher.</summary>
    internal TrainedRows? TrainedRows { get; init; }

    /// <summary>Name of the output column with the class probabilities.</summary>
    public string ScoreColumnName => Chain.Score;

    /// <summary>Name of the output column with the predicted class.</summary>
    public string PredictedLabelColumnName => Chain.PredictedLabel;

    /// <summary>The student as it was trained: this one, or the one that this one was made from.</summary>
    internal DistillationTransformer Trained { get => field ?? this; private init; }

    /// <summary>Name of the key column with the classes that it was trained on.</summary>
    internal string ClassKeyColumnName => Chain.ClassKey;

    /// <summary>The student and its columns.</summary>
    public override string ToString() => $"{Model.Spec.Name}{(Precision is null ? "" : $" in {Precision.Precision}")} from '{FeatureColumnName}' to '{ScoreColumnName}' and '{PredictedLabelColumnName}'";

    /// <summary>
    /// Writes the student up to its embedding, the vector before its last layer, as a stand-alone ONNX model, for example as the teacher of a student of embeddings
    /// (<see cref="EmbeddingTeacher.FromOnnx"/>). Its input is that of <see cref="StudentTransformer.SaveOnnx"/>; its output is <c>Embedding</c>, batch×D of length 1.
    /// </summary>
    public void SaveEmbeddingOnnx(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var network = CreateNetwork();
        stream.Write(Chain.WriteEmbeddingOnnx(network));
    }

    /// <summary>The trained student in another precision.</summary>
    /// <param name="precision">The precision; not that of the trained student.</param>
    /// <param name="calibration">The rows that it reads, with its feature column; null where none are needed.</param>
    /// <param name="compare">Compares the trained student with that in the precision.</param>
    /// <exception cref="NotSupportedException">The network cannot be stored so.</exception>
    internal DistillationTransformer Convert(StudentPrecision precision, IDataView? calibration, Func<ITransformer, (DistillationMetrics Metrics, double LargestDifference)> compare)
    {
        using var network = CreateNetwork();
        StudentChain chain;
        try
        {
            chain = Chain.WithForm(network, calibration is null ? new Float16Form() : Calibration.Run(network, calibration, FeatureColumnName));
        }
        catch (NotSupportedException e)
        {
            throw new NotSupportedException($"{Model.Spec.Name} cannot be stored in {precision}. {e.Message}", e);
        }

        var (metrics, difference) = compare(chain.Scoring);
        return new(Context, chain, InputSchema, Model, Teacher)
        {
            Alone = Alone,
            TrainedRows = TrainedRows,
            Trained = Trained,
            Precision = new()
            {
                Precision = precision,
                Metrics = metrics,
                LargestDifference = difference,
                TrainedBytes = Trained.Chain.MeasureSize(),
                Bytes = chain.MeasureSize(),
            },
        };
    }

    private protected override Network CreateNetwork() => Model.ToNetwork();
}

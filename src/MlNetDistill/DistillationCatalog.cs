using MlNetDistill;
using MlNetDistill.Networks;
using MlNetDistill.Seam;

namespace Microsoft.ML;

/// <summary>Knowledge distillation in ML.NET's catalogs.</summary>
public static class DistillationCatalog
{
    /// <summary>
    /// Trains a small student network to do its teacher's job, and gives an ordinary ML.NET multiclass model.
    /// </summary>
    /// <param name="catalog">The multiclass trainers.</param>
    /// <param name="teacher">Whose knowledge is distilled; see <see cref="Teacher"/>.</param>
    /// <param name="student">The network to train; see <see cref="Student"/>.</param>
    /// <param name="method">How it is distilled; KD with temperature 4 and alpha 0.9 if null.</param>
    /// <param name="labelColumnName">The label, a key column; null where the data have none, see <see cref="DistillationOptions.LabelColumnName"/>.</param>
    /// <param name="featureColumnName">The student's features, a known-size vector of Single or Byte.</param>
    /// <param name="exampleWeightColumnName">Example weights, Single; or null.</param>
    /// <param name="epochs">Passes over the training rows, at least 1.</param>
    /// <param name="batchSize">Rows of a training step, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A setting is out of its range; the message names every fault.</exception>
    /// <example>
    /// <code>
    /// var pipeline = mlContext.Transforms.Conversion.MapValueToKey("Class", "Label")
    ///     .Append(mlContext.Transforms.NormalizeMeanVariance("Scaled", "Features", fixZero: false))
    ///     .Append(mlContext.MulticlassClassification.Trainers.Distill(
    ///         teacher: Teacher.FromTransformer(forest),
    ///         student: Student.Mlp(64, 32),
    ///         method: DistillationMethod.Kd(temperature: 4, alpha: 0.9),
    ///         labelColumnName: "Class", featureColumnName: "Scaled"));
    /// </code>
    /// </example>
    public static DistillationTrainer Distill(
        this MulticlassClassificationCatalog.MulticlassClassificationTrainers catalog,
        Teacher teacher,
        NetworkSpec student,
        DistillationMethod? method = null,
        string? labelColumnName = "Label",
        string featureColumnName = "Features",
        string? exampleWeightColumnName = null,
        int epochs = 30,
        int batchSize = 128) => catalog.Distill(new DistillationOptions
        {
            Teacher = teacher,
            Student = student,
            Method = method ?? DistillationMethod.Kd(),
            LabelColumnName = labelColumnName,
            FeatureColumnName = featureColumnName,
            ExampleWeightColumnName = exampleWeightColumnName,
            Epochs = epochs,
            BatchSize = batchSize,
        });

    /// <summary>
    /// Trains a student network without a teacher, for the baseline that a distilled student is compared with: the same network, trained on the labels alone.
    /// </summary>
    /// <param name="catalog">The multiclass trainers.</param>
    /// <param name="student">The network to train; see <see cref="Student"/>.</param>
    /// <param name="method">A method that needs no teacher: <see cref="DistillationMethod.LabelsOnly"/>, or one over losses that read none.</param>
    /// <param name="labelColumnName">The label, a key column.</param>
    /// <param name="featureColumnName">The student's features, a known-size vector of Single or Byte.</param>
    /// <param name="exampleWeightColumnName">Example weights, Single; or null.</param>
    /// <param name="epochs">Passes over the training rows, at least 1.</param>
    /// <param name="batchSize">Rows of a training step, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The method needs a teacher, or a setting is out of its range; the message names every fault.</exception>
    public static DistillationTrainer Distill(
        this MulticlassClassificationCatalog.MulticlassClassificationTrainers catalog,
        NetworkSpec student,
        DistillationMethod method,
        string labelColumnName = "Label",
        string featureColumnName = "Features",
        string? exampleWeightColumnName = null,
        int epochs = 30,
        int batchSize = 128) => catalog.Distill(new DistillationOptions
        {
            Student = student,
            Method = method,
            LabelColumnName = labelColumnName,
            FeatureColumnName = featureColumnName,
            ExampleWeightColumnName = exampleWeightColumnName,
            Epochs = epochs,
            BatchSize = batchSize,
        });

    /// <summary>
    /// Trains a small student network to do its teacher's job, and gives an ordinary ML.NET multiclass model; with all options.
    /// </summary>
    /// <param name="catalog">The multiclass trainers.</param>
    /// <param name="options">The settings.</param>
    /// <exception cref="ArgumentOutOfRangeException">A setting is out of its range; the message names every fault.</exception>
    public static DistillationTrainer Distill(this MulticlassClassificationCatalog.MulticlassClassificationTrainers catalog, DistillationOptions options)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return new DistillationTrainer(InBox.EnvironmentOf(catalog), options);
    }

    /// <summary>
    /// Saves a model so that <paramref name="path"/> holds either the old file or the whole new one, whatever happens meanwhile: written
    /// beside it, flushed to the disk, renamed over it.
    /// </summary>
    /// <param name="catalog">The model operations.</param>
    /// <param name="model">Any model.</param>
    /// <param name="inputSchema">The schema of its input.</param>
    /// <param name="path">The file to write.</param>
    public static void SaveAtomically(this ModelOperationsCatalog catalog, ITransformer model, DataViewSchema inputSchema, string path) =>
        AtomicFile.Write(path, stream =>
        {
            using var _ = new InvariantCulture();
            catalog.Save(model, inputSchema, stream);
        });
}

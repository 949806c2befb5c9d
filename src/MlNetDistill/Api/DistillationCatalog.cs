using MlNetDistill;
using MlNetDistill.Core;
using MlNetDistill.Export;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace Microsoft.ML;

/// <summary>Knowledge distillation, from ML.NET's catalogs.</summary>
public static class DistillationCatalog
{
    /// <summary>
    /// Trains a small student network to do its teacher's job. The result is an ordinary ML.NET multiclass model.
    /// </summary>
    /// <param name="catalog">The multiclass trainers.</param>
    /// <param name="teacher">Whose knowledge is distilled; see <see cref="Teacher"/>.</param>
    /// <param name="student">The network to train; see <see cref="NetworkSpec"/>.</param>
    /// <param name="method">How it is distilled; KD if null.</param>
    /// <param name="labelColumnName">The label, a key column; null if the data have none, see <see cref="DistillationOptions.LabelColumnName"/>.</param>
    /// <param name="featureColumnName">The student's features, a known-size vector of Single or Byte.</param>
    /// <param name="exampleWeightColumnName">Example weights, Single; or null.</param>
    /// <param name="epochs">Passes over the training rows, at least 1; null for the default of <see cref="DistillationOptions.Epochs"/>.</param>
    /// <param name="batchSize">Most rows of a training step, at least 1.</param>
    /// <param name="transferRows">More rows for the teacher to answer, made up or your own; null for none, see <see cref="TransferRows"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A setting is out of its range; the message names every fault.</exception>
    /// <example>
    /// <code>
    /// var pipeline = mlContext.Transforms.Conversion.MapValueToKey("Class", "Label")
    ///     .Append(mlContext.Transforms.NormalizeMeanVariance("Scaled", "Features", fixZero: false))
    ///     .Append(mlContext.MulticlassClassification.Trainers.Distill(
    ///         teacher: Teacher.FromTransformer(forest),
    ///         student: NetworkSpec.Mlp(64, 32),
    ///         labelColumnName: "Class", featureColumnName: "Scaled",
    ///         transferRows: TransferRows.Munge()));
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
        int? epochs = null,
        int batchSize = 128,
        TransferRows? transferRows = null) => catalog.Distill(new DistillationOptions
        {
            Teacher = teacher,
            Student = student,
            Method = method ?? DistillationMethod.Kd(),
            LabelColumnName = labelColumnName,
            FeatureColumnName = featureColumnName,
            ExampleWeightColumnName = exampleWeightColumnName,
            GivenEpochs = epochs,
            BatchSize = batchSize,
            TransferRows = transferRows,
        });

    /// <summary>
    /// Trains a student network without a teacher, on labels alone: the baseline that a distilled student is compared with.
    /// </summary>
    /// <param name="catalog">The multiclass trainers.</param>
    /// <param name="student">The network to train; see <see cref="NetworkSpec"/>.</param>
    /// <param name="method">A method that needs no teacher: <see cref="DistillationMethod.LabelsOnly"/>, or one of your own losses that reads none.</param>
    /// <param name="labelColumnName">The label, a key column.</param>
    /// <param name="featureColumnName">The student's features, a known-size vector of Single or Byte.</param>
    /// <param name="exampleWeightColumnName">Example weights, Single; or null.</param>
    /// <param name="epochs">Passes over the training rows, at least 1; null for the default of <see cref="DistillationOptions.Epochs"/>.</param>
    /// <param name="batchSize">Rows per training step, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The method needs a teacher, or a setting is out of its range; the message names every fault.</exception>
    public static DistillationTrainer Distill(
        this MulticlassClassificationCatalog.MulticlassClassificationTrainers catalog,
        NetworkSpec student,
        DistillationMethod method,
        string labelColumnName = "Label",
        string featureColumnName = "Features",
        string? exampleWeightColumnName = null,
        int? epochs = null,
        int batchSize = 128) => catalog.Distill(new DistillationOptions
        {
            Student = student,
            Method = method,
            LabelColumnName = labelColumnName,
            FeatureColumnName = featureColumnName,
            ExampleWeightColumnName = exampleWeightColumnName,
            GivenEpochs = epochs,
            BatchSize = batchSize,
        });

    /// <summary>
    /// Trains a small student network to do its teacher's job, with all options. The result is an ordinary ML.NET multiclass model.
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
    /// Saves a model so that <paramref name="path"/> always holds either the old file or the complete new one: it is written to a temporary file in the same folder,
    /// flushed to disk and renamed. Temporary files that a killed process left are removed.
    /// </summary>
    /// <remarks>
    /// The zip has one entry more than <c>Model.Save</c> writes: <c>MlNetDistill.sha256</c>, with the hashes of the other entries, which <c>LoadVerified</c>
    /// compares. <c>Model.Load</c> loads the file like any other.
    /// </remarks>
    /// <param name="catalog">The model operations.</param>
    /// <param name="model">Any model.</param>
    /// <param name="inputSchema">The schema of its input.</param>
    /// <param name="path">The file to write.</param>
    public static void SaveAtomically(this ModelOperationsCatalog catalog, ITransformer model, DataViewSchema inputSchema, string path)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(path);
        ZipManifest.Save(InBox.TempFilePathOf(InBox.EnvironmentOf(catalog)), model, inputSchema, path);
    }

    /// <summary>
    /// Loads a model that <c>SaveAtomically</c> saved, after comparing every entry of its zip with its CRC-32 and its SHA-256. <c>Model.Load</c> compares
    /// nothing, so a damaged file may load and give wrong scores.
    /// </summary>
    /// <param name="catalog">The model operations.</param>
    /// <param name="path">The file.</param>
    /// <param name="inputSchema">The schema of the model's input.</param>
    /// <returns>The model, as <c>Model.Load</c> gives it.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, or has no hashes because <c>Model.Save</c> wrote it; the message says which.</exception>
    /// <example>
    /// <code>
    /// mlContext.Model.SaveAtomically(model, train.Schema, "student.zip");
    /// var loaded = mlContext.Model.LoadVerified("student.zip", out _);
    /// </code>
    /// </example>
    public static ITransformer LoadVerified(this ModelOperationsCatalog catalog, string path, out DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no file {Path.GetFullPath(path)}. Give the path of a model that mlContext.Model.SaveAtomically wrote.", path);
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        return LoadAfterCheck(catalog, file, $"'{path}'", out inputSchema);
    }

    /// <summary>Loads and verifies a model from a seekable stream.</summary>
    /// <param name="catalog">The model operations.</param>
    /// <param name="stream">The zip, from its beginning to the stream's end.</param>
    /// <param name="inputSchema">The schema of the model's input.</param>
    /// <exception cref="InvalidDataException">The zip is damaged, or has no hashes because <c>Model.Save</c> wrote it; the message says which.</exception>
    public static ITransformer LoadVerified(this ModelOperationsCatalog catalog, Stream stream, out DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(stream);
        if (!stream.CanSeek)
            throw new ArgumentException("The stream must be seekable, as it is read twice; copy it to a MemoryStream.", nameof(stream));
        return LoadAfterCheck(catalog, stream, "in the stream", out inputSchema);
    }

    private static ITransformer LoadAfterCheck(ModelOperationsCatalog catalog, Stream stream, string name, out DataViewSchema inputSchema)
    {
        ZipManifest.Check(stream, name);
        var temporary = InBox.TempFilePathOf(InBox.EnvironmentOf(catalog));
        try
        {
            (var model, inputSchema) = OnnxFileName.LoadWithRetry(() =>
            {
                stream.Position = 0;
                return (catalog.Load(stream, out var schema), schema);
            });
            return model;
        }
        // ML.NET copies ONNX models to files before ONNX Runtime reads them.
        catch (Exception e) when (WriteFailure.FindIn(temporary, e) is { } cause)
        {
            throw WriteFailure.CreateTemporary(temporary, $"the ONNX model of the model {name}", cause);
        }
    }
}

using MlNetDistill;
using MlNetDistill.Export;
using MlNetDistill.Losses;
using MlNetDistill.Networks;

namespace Microsoft.ML;

/// <summary>Distillation of embeddings, from ML.NET's catalogs.</summary>
public static class EmbeddingCatalog
{
    /// <summary>
    /// Trains a small network to give the embeddings of a larger model: for similar images or texts, for faces and re-identification. It needs no labels. The result is an
    /// ordinary ML.NET model that adds a vector of length 1.
    /// </summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="teacher">Whose embeddings are distilled; see <see cref="EmbeddingTeacher"/>.</param>
    /// <param name="student">The network to train; see <see cref="NetworkSpec"/>.</param>
    /// <param name="embeddingLength">Length of the student's embedding; null for the teacher's.</param>
    /// <param name="loss">What it learns; <see cref="MimicLoss"/> if null.</param>
    /// <param name="featureColumnName">The student's features, a known-size vector of Single or Byte.</param>
    /// <param name="outputColumnName">The embedding, a vector of Single.</param>
    /// <param name="epochs">Passes over the training rows, at least 1; null for the default of <see cref="EmbeddingOptions.Epochs"/>.</param>
    /// <param name="batchSize">Most rows of a training step, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A setting is out of its range; the message names every fault.</exception>
    /// <example>
    /// <code>
    /// var model = mlContext.Transforms.DistillEmbedding(
    ///     teacher: EmbeddingTeacher.FromOnnx("large-model.onnx"),
    ///     student: NetworkSpec.MobileNetV2(0.25),
    ///     embeddingLength: 64,
    ///     featureColumnName: "Pixels").Fit(pictures);
    /// mlContext.Model.Save(model, pictures.Schema, "search.zip");
    /// </code>
    /// </example>
    public static EmbeddingTrainer DistillEmbedding(
        this TransformsCatalog catalog,
        EmbeddingTeacher teacher,
        NetworkSpec student,
        int? embeddingLength = null,
        DistillationLoss? loss = null,
        string featureColumnName = "Features",
        string outputColumnName = "Embedding",
        int? epochs = null,
        int batchSize = 128) => catalog.DistillEmbedding(new EmbeddingOptions
        {
            Teacher = teacher,
            Student = student,
            EmbeddingLength = embeddingLength,
            Loss = loss ?? new MimicLoss(),
            FeatureColumnName = featureColumnName,
            OutputColumnName = outputColumnName,
            Epochs = epochs,
            BatchSize = batchSize,
        });

    /// <summary>Trains a student of embeddings with all settings.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="options">The settings.</param>
    /// <exception cref="ArgumentOutOfRangeException">A setting is out of its range; the message names every fault.</exception>
    public static EmbeddingTrainer DistillEmbedding(this TransformsCatalog catalog, EmbeddingOptions options)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return new EmbeddingTrainer(InBox.EnvironmentOf(catalog), options);
    }
}

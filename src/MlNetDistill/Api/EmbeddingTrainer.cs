using Microsoft.ML;
using Microsoft.ML.Runtime;
using MlNetDistill.Core;
using MlNetDistill.Diagnostics;
using MlNetDistill.Fitting;
using MlNetDistill.Reading;

namespace MlNetDistill;

/// <summary>The <see cref="IEstimator{TTransformer}"/> that trains a small network to give a larger model's embeddings.</summary>
/// <remarks>
/// Create one with <c>mlContext.Transforms.DistillEmbedding(...)</c>. Its input is a feature column, a vector of Single or Byte of known size; its output is a vector of
/// Single of length 1. A saved student needs only Microsoft.ML.OnnxTransformer and Microsoft.ML.OnnxRuntime in addition to Microsoft.ML.
/// </remarks>
public sealed class EmbeddingTrainer : IEstimator<EmbeddingTransformer>
{
    private readonly IHostEnvironment _environment;
    private readonly EmbeddingOptions _options;

    internal EmbeddingTrainer(IHostEnvironment environment, EmbeddingOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        _environment = environment;
        _options = options;
    }

    /// <summary>Trains a student.</summary>
    /// <param name="input">Training rows, with the columns of the options and those that the teacher reads. Labels are read only if they are named.</param>
    /// <exception cref="TorchUnavailableException">TorchSharp's native library cannot be loaded; the message says what to do on this system.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type.</exception>
    /// <exception cref="InvalidOperationException">The student cannot learn from the data or the teacher; the message says why and what to do.</exception>
    /// <exception cref="Training.NonFiniteLossException">A loss became NaN or infinite.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    /// <exception cref="Training.TrainingTimeoutException"><see cref="EmbeddingOptions.MaxTrainingTime"/> was used up, and there is nothing to return or <see cref="EmbeddingOptions.OnTimeUp"/> says so.</exception>
    /// <exception cref="StudentExportException">The student's network and its ML.NET form disagree.</exception>
    public EmbeddingTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        TorchLibrary.EnsureLoaded();
        using var mode = new TrainingMode();
        using var generator = _options.ToRowOptions().MayDrawFromTorch ? new PreservedGenerator() : null;
        var host = _environment.Register(nameof(EmbeddingTrainer));
        using var channel = new WarningChannel(host.Start("Distillation of embeddings"));
        var (seed, rows) = FitDescription.Settle(_options.CheckpointDirectory, _options.Seed, _options.RowStorage, host.Rand.Next);
        var options = _options with { Seed = seed, RowStorage = rows };
        return ChangedRowsException.Unwrap(() =>
        {
            using var fit = new EmbeddingFit(host, channel, options, input);
            return MemoryFailure.Explain(options.Student.Name, options.BatchSize, fit.Run);
        });
    }

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return TrainerSchemaShape.EmbeddingOutput(new MLContext(), inputSchema, _options);
    }
}

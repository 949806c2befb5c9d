using Microsoft.ML;
using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;
using MlNetDistill.Core;
using MlNetDistill.Diagnostics;
using MlNetDistill.Fitting;
using MlNetDistill.Reading;
using MlNetDistill.Training;

namespace MlNetDistill;

/// <summary>
/// The <see cref="IEstimator{TTransformer}"/> that trains a small network to do a larger model's job (knowledge distillation).
/// </summary>
/// <remarks>
/// <para>Create one with <c>mlContext.MulticlassClassification.Trainers.Distill(...)</c>.</para>
/// <para><b>Input and output columns</b></para>
/// <list type="table">
/// <listheader><term>Column</term><description>Type</description></listheader>
/// <item><term>label (input)</term><description>a key of UInt32; its count is the number of classes</description></item>
/// <item><term>features (input)</term><description>a vector of known size, of Single or Byte</description></item>
/// <item><term>example weight (input, optional)</term><description>Single, at least 0</description></item>
/// <item><term><c>Score</c> (output)</term><description>vector of Single: the probability of each class</description></item>
/// <item><term><c>PredictedLabel</c> (output)</term><description>key of UInt32: the most probable class</description></item>
/// </list>
/// <para><b>Trainer characteristics</b></para>
/// <list type="table">
/// <listheader><term>Characteristic</term><description>Value</description></listheader>
/// <item><term>Machine learning task</term><description>Multiclass classification (two classes included)</description></item>
/// <item><term>Is normalization required?</term><description>Yes for floating-point features; bytes are standardised inside the network</description></item>
/// <item><term>Is caching required?</term><description>No: the student reads the data once. A teacher that is an ML.NET model reads them a second time, which
/// caching makes faster</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MlNetDistill, TorchSharp-cpu or a TorchSharp CUDA package,
/// Microsoft.ML.OnnxRuntime;
/// to load a saved student only Microsoft.ML.OnnxTransformer and Microsoft.ML.OnnxRuntime</description></item>
/// <item><term>Exportable to ONNX</term><description>Yes, by <see cref="StudentTransformer.SaveOnnx"/></description></item>
/// </list>
/// </remarks>
public sealed partial class DistillationTrainer : ITrainerEstimator<DistillationTransformer, DistilledStudent>
{
    private readonly IHostEnvironment _environment;
    private readonly DistillationOptions _options;

    internal DistillationTrainer(IHostEnvironment environment, DistillationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        _environment = environment;
        _options = options;
    }

    /// <inheritdoc/>
    // TrainerInfo's constructor is internal; SDCA's has the right values: normalisation needed, no calibration, no validation set.
    public TrainerInfo Info => new MLContext().MulticlassClassification.Trainers.SdcaMaximumEntropy().Info;

    /// <summary>Trains a student.</summary>
    /// <param name="input">Training rows, with the input columns of the teacher if it is an ML.NET model.</param>
    /// <exception cref="TorchUnavailableException">TorchSharp's native library cannot be loaded; the message says what to do on this system.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type.</exception>
    /// <exception cref="InvalidOperationException">
    /// The student cannot learn from the data or the teacher, or the requested GPU is missing; the message says why and what to do.
    /// </exception>
    /// <exception cref="NonFiniteLossException">A loss became NaN or infinite.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    /// <exception cref="TrainingTimeoutException"><see cref="DistillationOptions.MaxTrainingTime"/> was used up, and there is nothing to return or <see cref="DistillationOptions.OnTimeUp"/> says so.</exception>
    /// <exception cref="StudentExportException">The student's network and its ONNX form disagree.</exception>
    public DistillationTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return RunFit(_options, input, fit => fit.Run(), FitInstruments.Observe);
    }

    /// <summary>
    /// Checks a fit without training: reads the data, passes one batch through teacher and student, goes through the stages of the method, and estimates what a
    /// fit would take. Nothing is cached, and nothing trained but, with <see cref="DistillationOptions.CompareAlone"/>, the student on its labels for a short time, to
    /// estimate what there is to gain (<see cref="PreflightReport.Alone"/>). <see cref="Fit"/> runs the same checks first, without that estimate, and logs the result.
    /// </summary>
    /// <param name="input">The rows that <see cref="Fit"/> would get.</param>
    /// <returns>The result; its text is a summary of one screen.</returns>
    /// <exception cref="TorchUnavailableException">TorchSharp's native library cannot be loaded; the message says what to do on this system.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type.</exception>
    /// <exception cref="InvalidOperationException">A fit would fail; the message says why and what to do.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled while the student alone was trained.</exception>
    /// <exception cref="StudentExportException">The student's network and its ONNX form disagree.</exception>
    public PreflightReport Preflight(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return RunFit(_options, input, fit => fit.Preflight());
    }

    /// <summary>
    /// Scores rows with the teacher, of any kind, and adds its class probabilities as a column, in the order of the label's classes and with their names.
    /// Compare the student with it by <c>mlContext.MulticlassClassification.EvaluateDistillation</c>.
    /// </summary>
    /// <param name="input">
    /// Rows with the columns that <see cref="Fit"/> needs: features, label, and the teacher's own. Labels may be missing.
    /// </param>
    /// <param name="outputColumnName">Name of the new column, a vector of Single with a probability for each class. It must not be a column of the trainer.</param>
    /// <returns>The input with the new column. Rows with unusable features are left out if <see cref="DistillationOptions.MissingFeatures"/> says so. The
    /// probabilities are kept in memory, 4 bytes for each row and class.</returns>
    /// <exception cref="TorchUnavailableException">TorchSharp's native library cannot be loaded; the message says what to do on this system.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type.</exception>
    /// <exception cref="ArgumentException"><paramref name="outputColumnName"/> is the name of a column of the trainer.</exception>
    /// <exception cref="InvalidOperationException">
    /// The teacher is created by <see cref="Fit"/> (then use <see cref="DistillationTransformer.Teacher"/>), or it cannot score the rows.
    /// </exception>
    public IDataView ScoreTeacher(IDataView input, string outputColumnName = "TeacherScore")
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentException.ThrowIfNullOrWhiteSpace(outputColumnName);
        foreach (var (option, name) in _options.NamedColumns)
        {
            if (name == outputColumnName)
            {
                throw new ArgumentException(
                    $"outputColumnName must not be '{name}', which is the trainer's {option}: one column would hide the other. Give another name.", nameof(outputColumnName));
            }
        }

        return RunFit(_options.ForScoring(), input, fit => fit.ScoreTeacher(outputColumnName));
    }

    /// <summary>
    /// The <see cref="DistillationOptions.TransferRows"/> that <see cref="Fit"/> would train on, to look at or to save: the same as those of a fit with the same seed.
    /// </summary>
    /// <param name="input">The rows that <see cref="Fit"/> would get.</param>
    /// <returns>
    /// Rows with the columns that the training data were loaded with, before the steps that lead to the trainer. The label, and what it is made from, is missing. They are
    /// made when they are read; the rows that they are made from are kept in memory. <see cref="TransferRows.From"/> with them gives the same student.
    /// </returns>
    /// <exception cref="InvalidOperationException">There are no TransferRows in the options, or they cannot be made; the message says why.</exception>
    public IDataView MakeTransferRows(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return _options.TransferRows is null
            ? throw new InvalidOperationException("TransferRows is not set in the options, so there are none to make; set it, for example to TransferRows.Munge().")
            : RunFit(_options, input, fit => fit.MakeTransferRows());
    }

    private T RunFit<T>(DistillationOptions given, IDataView input, Func<DistillationFit, T> run, Func<DistillationOptions, Func<T>, T>? measure = null)
    {
        TorchLibrary.EnsureLoaded();
        using var mode = new TrainingMode();
        using var generator = given.MayDrawFromTorch ? new PreservedGenerator() : null;
        var host = _environment.Register(nameof(DistillationTrainer));
        using var channel = new WarningChannel(host.Start("Distillation"));
        var (seed, rows) = FitDescription.Settle(given.CheckpointDirectory, given.Seed, given.RowStorage, host.Rand.Next);
        var options = given.WithMethodDefaults() with { Seed = seed, RowStorage = rows };
        return ChangedRowsException.Unwrap(() => measure is null ? Run() : measure(options, Run));

        T Run()
        {
            using var fit = new DistillationFit(host, channel, options, input);
            return MemoryFailure.Explain(options.Student.Name, options.BatchSize, () => run(fit));
        }
    }

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return TrainerSchemaShape.Output(new MLContext(), inputSchema, _options);
    }
}

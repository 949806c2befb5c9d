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
/// <para>Make one with <c>mlContext.MulticlassClassification.Trainers.Distill(...)</c>.</para>
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
/// <item><term>Is caching required?</term><description>Not by the student, which reads the data
/// once; it helps a teacher that is an ML.NET model, which reads them once more</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MlNetDistill, TorchSharp-cpu or a TorchSharp CUDA package,
/// Microsoft.ML.OnnxRuntime;
/// to load a saved student only Microsoft.ML.OnnxTransformer and Microsoft.ML.OnnxRuntime</description></item>
/// <item><term>Exportable to ONNX</term><description>Yes, by <see cref="DistillationTransformer.SaveOnnx"/></description></item>
/// </list>
/// </remarks>
public sealed class DistillationTrainer : ITrainerEstimator<DistillationTransformer, DistilledStudent>
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
    // TrainerInfo's constructor is internal; this trainer's has the same values: normalisation wanted, no calibration, no validation set.
    public TrainerInfo Info => new MLContext().MulticlassClassification.Trainers.SdcaMaximumEntropy().Info;

    /// <summary>Trains a student.</summary>
    /// <param name="input">Training rows, with the teacher's own input columns where the teacher is an ML.NET model.</param>
    /// <exception cref="TorchUnavailableException">TorchSharp's native library cannot be loaded; the message says what to do on this system.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type.</exception>
    /// <exception cref="InvalidOperationException">
    /// The data or the teacher cannot be learnt from, or the GPU asked for is missing; the message says why and what to do.
    /// </exception>
    /// <exception cref="NonFiniteLossException">A loss became NaN or infinite.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    /// <exception cref="StudentExportException">The student's network and its ONNX form disagree.</exception>
    public DistillationTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return RunFit(_options, input, fit => fit.Run(), FitInstruments.Observed);
    }

    /// <summary>
    /// Looks before leaping: reads the data, passes one batch through teacher and student, goes through the stages of the method and says what a fit would
    /// take. Trains nothing and records nothing; <see cref="Fit"/> does the same first and logs it.
    /// </summary>
    /// <param name="input">What <see cref="Fit"/> would be given.</param>
    /// <returns>What was found; its text is a summary of one screen.</returns>
    /// <exception cref="TorchUnavailableException">TorchSharp's native library cannot be loaded; the message says what to do on this system.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type.</exception>
    /// <exception cref="InvalidOperationException">A fit would fail; the message says why and what to do.</exception>
    /// <exception cref="StudentExportException">The student's network and its ONNX form disagree.</exception>
    public PreflightReport Preflight(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return RunFit(_options, input, fit => fit.Preflight());
    }

    /// <summary>
    /// Asks the teacher about rows as a fit would, and adds its class probabilities as a column, in the order of the label's classes and with their names: for
    /// <c>mlContext.MulticlassClassification.EvaluateDistillation</c> on test rows, whatever kind of teacher it is.
    /// </summary>
    /// <param name="input">
    /// Rows with the trainer's feature and label columns, and the teacher's own where it has any: what <see cref="Fit"/> would be given. Labels may be missing.
    /// </param>
    /// <param name="outputColumnName">Name of the new column, a vector of Single, one for each class; none of the trainer's own columns.</param>
    /// <returns>The same rows and columns and one more; rows with unusable features are left out if <see cref="DistillationOptions.MissingFeatures"/> says so.
    /// The answers are in memory: 4·N·K bytes.</returns>
    /// <exception cref="TorchUnavailableException">TorchSharp's native library cannot be loaded; the message says what to do on this system.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type.</exception>
    /// <exception cref="ArgumentException"><paramref name="outputColumnName"/> is the name of a column of the trainer.</exception>
    /// <exception cref="InvalidOperationException">
    /// There is no teacher yet: it is trained or fitted in <see cref="Fit"/>, and then is <see cref="DistillationTransformer.Teacher"/>; or it cannot answer.
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
                    $"The teacher's scores cannot be called '{name}': that is the trainer's {option}, and one would hide the other. Give another name.", nameof(outputColumnName));
            }
        }

        return RunFit(_options.ForScoring(), input, fit => fit.ScoreTeacher(outputColumnName));
    }

    private T RunFit<T>(DistillationOptions given, IDataView input, Func<DistillationFit, T> use, Func<DistillationOptions, Func<T>, T>? observed = null)
    {
        TorchLibrary.EnsureLoaded();
        using var mode = new TrainingMode();
        using var generator = given.MayDrawFromTorch ? new PreservedGenerator() : null;
        var host = _environment.Register(nameof(DistillationTrainer));
        using var channel = new WarningChannel(host.Start("Distillation"));
        var options = given with { Seed = given.Seed ?? host.Rand.Next() };
        return ChangedRowsException.Unwrapped(() => observed is null ? Use() : observed(options, Use));

        T Use()
        {
            using var fit = new DistillationFit(host, channel, options, input);
            return use(fit);
        }
    }

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return TrainerSchemaShape.Output(new MLContext(), inputSchema, _options);
    }
}

using Google.Protobuf;
using MlNetDistill.Core;
using MlNetDistill.Training;
using Tensorboard;

namespace MlNetDistill.Diagnostics;

/// <summary>Writes reports as curves for TensorBoard: <c>tensorboard --logdir FOLDER</c>.</summary>
/// <remarks>
/// <para>A step is an epoch, counted from 1 over all stages and all networks that report to this sink. Each step has</para>
/// <list type="table">
/// <listheader><term>Tag</term><description>Value</description></listheader>
/// <item><term><c>loss/NAME</c></term><description>mean of each named loss, and of their weighted sum, <c>loss/total</c></description></item>
/// <item><term><c>learning_rate</c></term><description>the learning rate of the epoch's last step</description></item>
/// <item><term><c>validation/accuracy</c> or <c>validation/agreement</c>, <c>validation/loss</c></term>
/// <description>on held-out rows, where there are any; agreement with the teacher where these have no labels</description></item>
/// <item><term><c>gradient_norm/mean</c>, <c>gradient_norm/largest</c>, <c>largest_logit</c></term>
/// <description>of the epoch's steps, where they are measured (<see cref="DistillationOptions.MeasureTraining"/>; with clipping the norm in any case)</description></item>
/// <item><term><c>skipped_batches</c>, <c>times_gone_back</c></term>
/// <description>batches of the epoch that were skipped, and how often the stage went back, where any (<see cref="DistillationOptions.OnNonFinite"/>)</description></item>
/// <item><term><c>rows_per_second</c></term><description>rows trained on in a second</description></item>
/// <item><term><c>stage</c> (a text)</term><description>name of the stage, at its first epoch</description></item>
/// </list>
/// <para>Training continues when the values of an epoch are written. To compare runs, give each a folder of its own under the folder that TensorBoard is started
/// with.</para>
/// </remarks>
public sealed class TensorBoardProgress : ProgressSink, IDisposable
{
    private readonly EventFile _file;
    private long _step;
    private string? _stage;

    /// <summary>Creates a new event file.</summary>
    /// <param name="folder">Its folder, which is created if it does not exist.</param>
    /// <param name="onError">Called on the training thread for each report that could not be written. An exception that it throws is logged, and training continues.</param>
    /// <exception cref="IOException">The folder or the file cannot be created.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written to.</exception>
    public TensorBoardProgress(string folder, Action<Exception>? onError = null)
        : base(onError)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        WriteFailure.CreateFolder(folder, "the progress of the training");
        _file = new EventFile(folder);
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();

    private protected override void Write(TrainingProgress progress)
    {
        _step++;
        _file.Append(_step, Values(progress));
        _stage = progress.Stage;
    }

    private IEnumerable<Summary.Types.Value> Values(TrainingProgress progress)
    {
        // The same stage may run twice in a row; its first epoch is 1 each time.
        if (progress.Stage != _stage || progress.Epoch == 1)
            yield return Text("stage", progress.Stage);
        foreach (var (name, loss) in progress.Losses)
            yield return Scalar($"loss/{name}", loss);
        yield return Scalar("learning_rate", progress.LearningRate);
        if (progress.Validation is { } validation)
        {
            yield return Scalar($"validation/{validation.Measure}", validation.Quality);
            yield return Scalar("validation/loss", validation.Loss);
        }

        if (progress.MeanGradientNorm is { } mean && progress.LargestGradientNorm is { } largest)
        {
            yield return Scalar("gradient_norm/mean", mean);
            yield return Scalar("gradient_norm/largest", largest);
        }

        if (progress.LargestLogit is { } logit)
            yield return Scalar("largest_logit", logit);
        if (progress.SkippedBatches > 0)
            yield return Scalar("skipped_batches", progress.SkippedBatches);
        if (progress.TimesGoneBack > 0)
            yield return Scalar("times_gone_back", progress.TimesGoneBack);
        yield return Scalar("rows_per_second", progress.RowsPerSecond);
    }

    private static Summary.Types.Value Scalar(string tag, double value) => new() { Tag = tag, SimpleValue = (float)value };

    private static Summary.Types.Value Text(string tag, string text) => new()
    {
        Tag = tag,
        Metadata = new SummaryMetadata { PluginData = new SummaryMetadata.Types.PluginData { PluginName = "text" } },
        Tensor = new TensorProto
        {
            Dtype = DataType.DtString,
            TensorShape = new TensorShapeProto { Dim = { new TensorShapeProto.Types.Dim { Size = 1 } } },
            StringVal = { ByteString.CopyFromUtf8(text) },
        },
    };
}

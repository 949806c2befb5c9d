using Microsoft.Extensions.Logging;
using MlNetDistill.Training;
using static System.FormattableString;

namespace MlNetDistill.Diagnostics;

/// <summary>
/// Writes reports to a logger at <see cref="LogLevel.Information"/>: a message at the start of each stage and one for each epoch. Its structured
/// values are Stage, Epoch, Epochs, Losses, LearningRate, ValidationMeasure, ValidationQuality, ValidationLoss, RowsPerSecond, TimeLeft. Where gradients and logits are measured, a second message of the
/// epoch has MeanGradientNorm, LargestGradientNorm and LargestLogit; where batches were skipped, a warning has SkippedBatches.
/// </summary>
public sealed partial class LoggerProgress : ProgressSink
{
    private readonly ILogger _logger;
    private string? _stage;

    /// <summary>Writes to a logger.</summary>
    /// <param name="logger">The logger.</param>
    /// <param name="onError">Called on the training thread for each report at which the logger threw. An exception that it throws is logged, and training continues.</param>
    public LoggerProgress(ILogger logger, Action<Exception>? onError = null)
        : base(onError)
    {
        ArgumentNullException.ThrowIfNull(logger);
        _logger = logger;
    }

    private protected override void Write(TrainingProgress progress)
    {
        if (progress.Stage != _stage || progress.Epoch == 1)
            StageStarted(progress.Stage, progress.Epochs);
        _stage = progress.Stage;
        var losses = string.Join(", ", progress.Losses.Select(loss => Invariant($"{loss.Key} {loss.Value:0.0000}")));
        var left = TimeSpan.FromSeconds(Math.Round(progress.TimeLeft.TotalSeconds));
        var (stage, epoch, epochs, rate, speed) = (progress.Stage, progress.Epoch, progress.Epochs, progress.LearningRate, progress.RowsPerSecond);
        if (progress.Validation is { } validation)
            Validated(stage, epoch, epochs, losses, validation.Measure, validation.Quality, validation.Loss, rate, speed, left);
        else
            Trained(stage, epoch, epochs, losses, rate, speed, left);
        if (progress.MeanGradientNorm is not null || progress.LargestLogit is not null)
            Measured(stage, epoch, progress.MeanGradientNorm, progress.LargestGradientNorm, progress.LargestLogit);
        if (progress.SkippedBatches > 0)
            Skipped(stage, epoch, progress.SkippedBatches);
    }

    [LoggerMessage(4, LogLevel.Information, "{Stage} epoch {Epoch}: gradient norm {MeanGradientNorm:G3}, at most {LargestGradientNorm:G3}, logits up to {LargestLogit:G3}")]
    private partial void Measured(string stage, int epoch, double? meanGradientNorm, double? largestGradientNorm, double? largestLogit);

    [LoggerMessage(5, LogLevel.Warning, "{Stage} epoch {Epoch}: {SkippedBatches} batches skipped, because losses or gradients were NaN or infinite")]
    private partial void Skipped(string stage, int epoch, int skippedBatches);

    [LoggerMessage(1, LogLevel.Information, "Stage {Stage} started, epochs: {Epochs}")]
    private partial void StageStarted(string stage, int epochs);

    [LoggerMessage(2, LogLevel.Information, "{Stage} epoch {Epoch}/{Epochs}: {Losses}, rate {LearningRate:G3}, {RowsPerSecond:N0} rows/s, {TimeLeft} left")]
    private partial void Trained(string stage, int epoch, int epochs, string losses, double learningRate, double rowsPerSecond, TimeSpan timeLeft);

    [LoggerMessage(
        3,
        LogLevel.Information,
        "{Stage} epoch {Epoch}/{Epochs}: {Losses}, validation {ValidationMeasure} {ValidationQuality:0.0000}, loss {ValidationLoss:0.0000}, " +
        "rate {LearningRate:G3}, {RowsPerSecond:N0} rows/s, {TimeLeft} left")]
    private partial void Validated(
        string stage,
        int epoch,
        int epochs,
        string losses,
        string validationMeasure,
        double validationQuality,
        double validationLoss,
        double learningRate,
        double rowsPerSecond,
        TimeSpan timeLeft);
}

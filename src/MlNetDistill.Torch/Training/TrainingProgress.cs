using static System.FormattableString;

namespace MlNetDistill.Training;

/// <summary>The progress of training after an epoch.</summary>
/// <param name="Stage">Name of the stage.</param>
/// <param name="Epoch">The epoch just finished, from 1.</param>
/// <param name="Epochs">Epochs of the stage.</param>
/// <param name="Losses">Mean of each named term over the epoch, unweighted, and their weighted sum as <c>total</c>; of an epoch that trains a teacher also the mean loss of the
/// quiz as <c>quiz</c>.</param>
/// <param name="LearningRate">The learning rate of the epoch's last step.</param>
/// <param name="Validation">The result on the held-out rows; null without such rows, and in a stage that trains no logits.</param>
/// <param name="RowsPerSecond">Training rows per second, without validation.</param>
/// <param name="TimeLeft">Estimated time to the end of the stage.</param>
/// <param name="Elapsed">Time since the network's first epoch began, validation included.</param>
public sealed record TrainingProgress(
    string Stage,
    int Epoch,
    int Epochs,
    IReadOnlyDictionary<string, double> Losses,
    double LearningRate,
    ValidationResult? Validation,
    double RowsPerSecond,
    TimeSpan TimeLeft,
    TimeSpan Elapsed)
{
    /// <summary>
    /// The mean norm of the gradient over the epoch's steps, before clipping; null if it is neither clipped (<c>GradientClipping</c>) nor measured (<c>MeasureTraining</c>).
    /// </summary>
    public double? MeanGradientNorm { get; init; }

    /// <summary>The largest of these norms; null as the mean is.</summary>
    public double? LargestGradientNorm { get; init; }

    /// <summary>The largest absolute value of a logit, of a student of embeddings of an output, in the epoch's steps; null if it is not measured (<c>MeasureTraining</c>).</summary>
    public double? LargestLogit { get; init; }

    /// <summary>Batches of the epoch that were not learnt from, because losses or gradients were NaN or infinite (<see cref="NonFiniteHandling.SkipBatch"/>).</summary>
    public int SkippedBatches { get; init; }

    /// <summary>How often the stage has gone back to the end of a good epoch so far (<see cref="NonFiniteHandling.GoBack"/>).</summary>
    public int TimesGoneBack { get; init; }

    /// <summary>What was measured beside the losses, and what went wrong; empty if nothing.</summary>
    internal string Signs => string.Concat(
        MeanGradientNorm is { } mean ? Invariant($", gradient {mean:G3} (at most {LargestGradientNorm:G3})") : "",
        LargestLogit is { } logit ? Invariant($", logits up to {logit:G3}") : "",
        SkippedBatches > 0 ? Invariant($", {SkippedBatches} skipped") : "",
        TimesGoneBack > 0 ? Invariant($", gone back {TimesGoneBack} {(TimesGoneBack == 1 ? "time" : "times")}") : "");

    /// <summary>The losses, and the result on held-out rows.</summary>
    internal string Figures => string.Join(", ", Losses.Select(l => Invariant($"{l.Key} {l.Value:0.0000}")))
        + (Validation is null ? "" : $", validation {Validation}");

    /// <summary>All of these in one line.</summary>
    public override string ToString()
    {
        var left = Invariant($"{(long)TimeLeft.TotalHours:00}:{TimeLeft:mm\\:ss}");
        return Invariant($"{Stage} epoch {Epoch}/{Epochs}: {Figures}, rate {LearningRate:G3}{Signs}, {RowsPerSecond:N0} rows/s, {left} left");
    }
}

using MlNetDistill.Training;

namespace MlNetDistill.Tests.Support;

/// <summary>Reports without a training.</summary>
internal static class ToyProgress
{
    public static TrainingProgress Epoch(int epoch, string stage = "KD", double? accuracy = null, double loss = 0) => new(
        stage,
        epoch,
        3,
        new Dictionary<string, double> { ["kd"] = 0.5 / epoch, ["total"] = 0.25 / epoch },
        0.01 / epoch,
        accuracy is { } share ? new ValidationResult("accuracy", share, loss) : null,
        1000 * epoch,
        TimeSpan.FromSeconds(3 - epoch),
        TimeSpan.FromSeconds(epoch));

    /// <summary>The same with all that can be measured beside, and with faults.</summary>
    public static TrainingProgress Measured(this TrainingProgress progress) => progress with
    {
        MeanGradientNorm = 0.5,
        LargestGradientNorm = 1.5,
        LargestLogit = 4.25,
        SkippedBatches = 2,
        TimesGoneBack = 1,
    };
}

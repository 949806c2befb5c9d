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
}

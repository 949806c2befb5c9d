using MlNetDistill.Training;

namespace MlNetDistill.Tests.Support;

/// <summary>Reports without a training.</summary>
internal static class ToyProgress
{
    public static TrainingProgress Epoch(int epoch, string stage = "KD", double? accuracy = null, double? loss = null) => new(
        stage,
        epoch,
        3,
        new Dictionary<string, double> { ["kd"] = 0.5 / epoch, ["total"] = 0.25 / epoch },
        0.01 / epoch,
        accuracy,
        loss,
        1000 * epoch,
        TimeSpan.FromSeconds(3 - epoch),
        TimeSpan.FromSeconds(epoch));
}

using MlNetDistill.Core;

namespace MlNetDistill.Training;

/// <summary>Tells the instruments of an epoch.</summary>
internal static class EpochInstruments
{
    public static void Record(string network, TrainingProgress progress, long rows, TimeSpan duration)
    {
        KeyValuePair<string, object?> role = new(DistillationInstruments.NetworkTag, network);
        KeyValuePair<string, object?> stage = new(DistillationInstruments.StageTag, progress.Stage);
        DistillationInstruments.RowsTrained.Add(rows, role, stage);
        DistillationInstruments.EpochDuration.Record(duration.TotalSeconds, role, stage);
        DistillationInstruments.LearningRate.Record(progress.LearningRate, role, stage);
        if (progress.ValidationAccuracy is { } accuracy)
            DistillationInstruments.ValidationAccuracy.Record(accuracy, role, stage);
        if (progress.ValidationAgreement is { } agreement)
            DistillationInstruments.ValidationAgreement.Record(agreement, role, stage);
        foreach (var (name, loss) in progress.Losses)
            DistillationInstruments.Loss.Record(loss, role, stage, new("distillation.loss.name", name));
    }
}

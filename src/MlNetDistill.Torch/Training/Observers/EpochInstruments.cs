using MlNetDistill.Core;

namespace MlNetDistill.Training;

/// <summary>Records the metrics of every epoch (System.Diagnostics.Metrics).</summary>
internal sealed class EpochInstruments(string network) : ITrainingObserver
{
    public void EpochEnds(EpochResult epoch)
    {
        var progress = epoch.Progress;
        KeyValuePair<string, object?> role = new(DistillationInstruments.NetworkTag, network);
        KeyValuePair<string, object?> stage = new(DistillationInstruments.StageTag, progress.Stage);
        DistillationInstruments.RowsTrained.Add(epoch.Rows, role, stage);
        DistillationInstruments.EpochDuration.Record(epoch.Duration.TotalSeconds, role, stage);
        DistillationInstruments.LearningRate.Record(progress.LearningRate, role, stage);
        if (progress.MeanGradientNorm is { } mean && progress.LargestGradientNorm is { } largest)
        {
            DistillationInstruments.MeanGradientNorm.Record(mean, role, stage);
            DistillationInstruments.LargestGradientNorm.Record(largest, role, stage);
        }

        if (progress.LargestLogit is { } logit)
            DistillationInstruments.LargestLogit.Record(logit, role, stage);
        if (progress.SkippedBatches > 0)
            DistillationInstruments.BatchesSkipped.Add(progress.SkippedBatches, role, stage);
        if (progress.Validation is { } validation)
            DistillationInstruments.ValidationQuality.Record(validation.Quality, role, stage, new("distillation.validation.measure", validation.Measure));
        foreach (var (name, loss) in progress.Losses)
            DistillationInstruments.Loss.Record(loss, role, stage, new("distillation.loss.name", name));
    }
}

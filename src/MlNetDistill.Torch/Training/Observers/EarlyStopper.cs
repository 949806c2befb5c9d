namespace MlNetDistill.Training;

/// <summary>Ends a stage when the held-out rows show no improvement for a while.</summary>
internal sealed class EarlyStopper(EarlyStopping settings) : ITrainingObserver
{
    public void EpochEnds(EpochResult epoch)
    {
        if (epoch.Progress.Validation is not { } validation || !epoch.Counts)
            return;
        var state = epoch.Run.State;
        state.RecordQuality(validation.Quality, settings.MinimumImprovement);
        epoch.EndsStage |= state.Epoch - state.LastImprovement >= settings.Patience;
    }
}

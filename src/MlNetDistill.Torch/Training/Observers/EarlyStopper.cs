namespace MlNetDistill.Training;

/// <summary>Ends a stage if the result on the held-out rows has not improved for a number of epochs.</summary>
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

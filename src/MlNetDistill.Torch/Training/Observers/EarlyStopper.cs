namespace MlNetDistill.Training;

/// <summary>Ends a stage when the held-out rows show no improvement for a while.</summary>
internal sealed class EarlyStopper(EarlyStopping settings) : ITrainingObserver
{
    public void EpochEnds(EpochResult epoch)
    {
        if (epoch.Quality is not { } quality || !epoch.Counts)
            return;
        var state = epoch.Run.State;
        state.NoteShare(quality.Share, settings.MinimumImprovement);
        epoch.EndsStage |= state.Epoch - state.LastImprovement >= settings.Patience;
    }
}

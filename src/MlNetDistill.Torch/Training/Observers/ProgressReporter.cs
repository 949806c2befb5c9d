namespace MlNetDistill.Training;

/// <summary>Adds the progress of every epoch to the history and reports it.</summary>
internal sealed class ProgressReporter(TrainingState state, LoopSettings settings) : ITrainingObserver
{
    public void EpochEnds(EpochResult epoch)
    {
        state.History.Add(epoch.Progress);
        settings.Report(epoch.Progress);
        settings.AfterEpoch(epoch.Progress.Epoch);
    }
}

namespace MlNetDistill.Training;

/// <summary>Keeps the weights of the best epoch of each stage, which the stage ends with, and on request those of the whole run.</summary>
internal sealed class BestEpochKeeper(TrainingState state, bool keepsBestOfRun) : ITrainingObserver
{
    public void EpochEnds(EpochResult epoch)
    {
        if (epoch.Progress.Validation is not { } result)
            return;
        if (epoch.Counts)
            epoch.Run.State.Best.KeepIfBetter(result, epoch.Run.Student);
        if (keepsBestOfRun)
            state.Best.KeepIfBetter(result, epoch.Run.Student);
    }

    public void StageEnds(StageRun run) => run.State.Best.Restore(run.Student);
}

namespace MlNetDistill.Training;

/// <summary>Notified of each event of training; the loop does not depend on what an observer does.</summary>
internal interface ITrainingObserver
{
    /// <summary>Before the first epoch of a stage.</summary>
    void StageBegins(StageRun run) { }

    /// <summary>After the backward pass of a step.</summary>
    void GradientsComputed(StageRun run) { }

    /// <summary>After clipping, directly before the update of the weights.</summary>
    void GradientsClipped(StageRun run) { }

    /// <summary>After the update of the weights.</summary>
    void StepEnds() { }

    /// <summary>After an epoch; the observer can end the stage by <see cref="EpochResult.EndsStage"/>.</summary>
    void EpochEnds(EpochResult epoch) { }

    /// <summary>After the last epoch of a stage.</summary>
    void StageEnds(StageRun run) { }
}

/// <summary>The result of an epoch.</summary>
/// <param name="Run">The stage.</param>
/// <param name="Progress">The progress of training.</param>
/// <param name="Rows">Number of training rows.</param>
/// <param name="Duration">Time of the epoch, validation included.</param>
internal sealed record EpochResult(StageRun Run, TrainingProgress Progress, long Rows, TimeSpan Duration)
{
    /// <summary>Whether the stage ends with this epoch.</summary>
    public bool EndsStage { get; set; }

    /// <summary>Whether this epoch can be the best of the stage, and counts for early stopping.</summary>
    public bool Counts => Progress.Epoch >= Run.Stage.JudgedFrom;
}

/// <summary>Several observers, notified in order.</summary>
internal sealed class ObserverList(params IReadOnlyList<ITrainingObserver> observers) : ITrainingObserver
{
    public void StageBegins(StageRun run) => ForEach(o => o.StageBegins(run));

    public void GradientsComputed(StageRun run) => ForEach(o => o.GradientsComputed(run));

    public void GradientsClipped(StageRun run) => ForEach(o => o.GradientsClipped(run));

    public void StepEnds() => ForEach(o => o.StepEnds());

    public void EpochEnds(EpochResult epoch) => ForEach(o => o.EpochEnds(epoch));

    public void StageEnds(StageRun run) => ForEach(o => o.StageEnds(run));

    private void ForEach(Action<ITrainingObserver> notify)
    {
        foreach (var observer in observers)
            notify(observer);
    }
}

namespace MlNetDistill.Training;

/// <summary>Notified of how training goes; the loop knows nothing of what an observer does.</summary>
internal interface ITrainingObserver
{
    /// <summary>A stage is about to train.</summary>
    void StageBegins(StageRun run) { }

    /// <summary>A step has computed the gradients of its parameters.</summary>
    void GradientsComputed(StageRun run) { }

    /// <summary>The gradients are as the optimizer will see them.</summary>
    void GradientsClipped(StageRun run) { }

    /// <summary>A step has changed the weights.</summary>
    void StepEnds() { }

    /// <summary>An epoch is over; the observer may end the stage by <see cref="EpochResult.EndsStage"/>.</summary>
    void EpochEnds(EpochResult epoch) { }

    /// <summary>A stage has trained its last epoch.</summary>
    void StageEnds(StageRun run) { }
}

/// <summary>What an epoch came to.</summary>
/// <param name="Run">The stage at work.</param>
/// <param name="Progress">How training stands.</param>
/// <param name="Rows">Rows trained on.</param>
/// <param name="Duration">Time of the epoch, validation included.</param>
internal sealed record EpochResult(StageRun Run, TrainingProgress Progress, long Rows, TimeSpan Duration)
{
    /// <summary>Whether the stage ends with this epoch.</summary>
    public bool EndsStage { get; set; }

    /// <summary>Whether the stage may be judged by this epoch.</summary>
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

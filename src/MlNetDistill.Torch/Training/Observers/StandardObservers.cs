using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>Creates the observers of a training loop, in the order in which they are notified.</summary>
internal static class StandardObservers
{
    /// <param name="state">The state of the training.</param>
    /// <param name="settings">Its settings.</param>
    /// <param name="role">The role of the network in the fit.</param>
    /// <param name="training">Positions of the training rows.</param>
    public static ObserverList Create(TrainingState state, LoopSettings settings, string role, Tensor training)
    {
        List<ITrainingObserver> observers =
        [
            new NativeHeapTrimmer(),
            new DivergenceWarning(settings.Warn),
            new GradientWarning(settings.GradientClipping, settings.Warn),
            new SkippedBatchesWarning(settings.Warn),
            new BestEpochKeeper(state, settings.MayReturnBest || settings.Checkpoints is not null),
            new EpochInstruments(role),
            new ProgressReporter(state, settings),
            // After BestEpochKeeper, which restores the weights that the stage ends with.
            new OutputCheck(training, settings.ScoringBatchSize),
        ];
        if (settings.EarlyStopping is { } stopping)
            observers.Add(new EarlyStopper(stopping));
        return new ObserverList(observers);
    }
}

using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>The observers of every training, in the order in which they are notified.</summary>
internal static class StandardObservers
{
    /// <param name="state">The state of the training.</param>
    /// <param name="settings">Its settings.</param>
    /// <param name="role">What the network is.</param>
    /// <param name="training">Positions trained on.</param>
    public static ObserverList Create(TrainingState state, LoopSettings settings, string role, Tensor training)
    {
        List<ITrainingObserver> observers =
        [
            new NativeHeapTrimmer(),
            new DivergenceWarning(settings.Warn),
            new GradientWarning(settings.GradientClipping, settings.Warn),
            new BestEpochKeeper(state, settings.OnCancellation == CancellationBehavior.ReturnBest),
            new EpochInstruments(role),
            new ProgressReporter(state, settings),
            // Behind the keeper: it looks at the weights that the stage ends with.
            new OutputCheck(training, settings.ScoringBatchSize),
        ];
        if (settings.EarlyStopping is { } stopping)
            observers.Add(new EarlyStopper(stopping));
        return new ObserverList(observers);
    }
}

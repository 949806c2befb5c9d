using MlNetDistill.Fitting;
using MlNetDistill.Training;

namespace MlNetDistill.Searching;

/// <summary>Counts what was trained, and reports it to the user.</summary>
/// <param name="progress">The user's, or null.</param>
/// <param name="epochsPlanned">Epochs of the whole search.</param>
/// <param name="warn">Writes a warning.</param>
internal sealed class SearchWatch(IProgress<SearchProgress>? progress, long epochsPlanned, Action<string> warn)
{
    /// <summary>Epochs of finished trainings.</summary>
    public long EpochsDone { get; private set; }

    /// <summary>Steps of finished trainings.</summary>
    public long Steps { get; private set; }

    /// <summary>Time of finished trainings.</summary>
    public TimeSpan Elapsed { get; private set; }

    /// <summary>The state before a training.</summary>
    public SearchProgress Begin(SearchTrial trial, int rung, int rungs, int epochs, Func<IReadOnlyList<SearchTrial>> leaderboard) => new()
    {
        Trial = trial,
        Rung = rung,
        Rungs = rungs,
        Epochs = epochs,
        EpochsDone = EpochsDone,
        EpochsPlanned = epochsPlanned,
        Leaderboard = progress is null ? [] : leaderboard(),
        Elapsed = Elapsed,
    };

    /// <summary>Reports each epoch of a training; null if nobody listens.</summary>
    public IProgress<TrainingProgress>? Epochs(SearchProgress state) => progress is null ? null : new EpochSink(progress, state);

    /// <summary>Counts and reports a finished training.</summary>
    public void End(SearchProgress state, TrialResult result)
    {
        EpochsDone += state.Epochs;
        Steps += result.Rung?.Steps ?? 0;
        Elapsed += result.Rung?.Duration ?? TimeSpan.Zero;
        try
        {
            progress?.Report(state with
            {
                EpochsDone = EpochsDone,
                Elapsed = Elapsed,
                Leaderboard = [.. state.Leaderboard.Select(trial => trial.Number == state.Trial.Number ? state.Trial : trial)],
            });
        }
        catch (Exception fault)
        {
            // A failure of the display must not end a long search; the channel writes the same warning once.
            warn($"The search's Progress threw {fault.GetType().Name}: {fault.Message} The search continues. To stop it, cancel the CancellationToken of the trainer's options.");
        }
    }

    private sealed class EpochSink(IProgress<SearchProgress> progress, SearchProgress state) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => progress.Report(state with { Epoch = value, EpochsDone = state.EpochsDone + value.Epoch });
    }
}

using System.Diagnostics;

namespace MlNetDistill.Training;

/// <summary>Continues a run that was interrupted, and saves its state where that is due. Without a directory it only measures the time of the run.</summary>
/// <param name="state">The state of the run.</param>
/// <param name="settings">Its settings.</param>
internal sealed class LoopCheckpoints(TrainingState state, LoopSettings settings) : IDisposable
{
    private readonly Stopwatch _clock = new();
    private SavedState? _saved;
    private TimeSpan _before;

    /// <summary>The training time so far, that before an interruption included.</summary>
    public TimeSpan Elapsed => _before + _clock.Elapsed;

    // Where training may go back to the end of an epoch, it must be able to do so after it was interrupted too.
    private RunCheckpoints? WithinEpochs => settings.OnNonFinite.MaxTimesBack is null ? settings.Checkpoints : null;

    /// <summary>Begins the run, or restores what belongs to no stage of one that was interrupted.</summary>
    public void Begin()
    {
        _clock.Start();
        _saved = settings.Checkpoints?.Load();
        if (_saved is null)
            return;
        _saved.Restore(state);
        _before = state.Elapsed;
        foreach (var warning in state.Warnings)
            settings.Warn(warning);
        settings.Checkpoints!.Continues(_saved.Epochs);
    }

    /// <summary>Whether a phase had ended where the run was interrupted.</summary>
    /// <param name="phase">Its number, from 1.</param>
    public bool HasEnded(int phase) => _saved?.HasEnded(phase) == true;

    /// <summary>Whether the run was interrupted in a phase.</summary>
    /// <param name="phase">Its number, from 1.</param>
    public bool IsInterruptedIn(int phase) => _saved?.Phases == phase;

    /// <summary>Before a phase that was interrupted begins again: sets the generators to their states before it began first.</summary>
    public void RestoreStart() => _saved!.RestoreStart(state);

    /// <summary>After it has begun again: restores where it was interrupted.</summary>
    public void Restore(StageRun run)
    {
        _saved!.Restore(state, run.State);
        if (run.State.Part is not { } part)
            return;
        run.Losses.Restore(part.Losses);
        run.Measures?.Restore(part.Measures);
        if (part.Quiz is { } sum)
            run.Bilevel!.Restore(sum);
    }

    /// <summary>After the order of the rows of an epoch was drawn again: sets the other generators to where they were in it.</summary>
    public void RestoreOtherGenerators() => _saved!.RestoreOtherGenerators(state);

    /// <summary>Saves the state between two rounds, if that is due.</summary>
    public void RoundEnds(StageRun run, Func<EpochPart> part)
    {
        if (WithinEpochs is { IsDue: true })
            Save(run, part());
    }

    /// <summary>Saves the state after an epoch, if that is due.</summary>
    public void EpochEnds(StageRun run)
    {
        if (settings.Checkpoints?.IsDueAfter(run.State.Epoch) == true)
            Save(run, null);
    }

    /// <summary>Saves the state before the run is ended early.</summary>
    public void StopsEarly(StageRun run, Func<EpochPart> part)
    {
        if (WithinEpochs is not null && state.Steps > 0)
            Save(run, part());
    }

    /// <summary>Saves the state of a run that has ended.</summary>
    public void RunEnds()
    {
        if (state.IsFinished)
            return;
        (state.IsFinished, state.Elapsed) = (true, Elapsed);
        settings.Checkpoints?.Save(state);
    }

    public void Dispose() => _saved?.Dispose();

    private void Save(StageRun run, EpochPart? part)
    {
        state.Elapsed = Elapsed;
        run.State.Part = part;
        settings.Checkpoints!.Save(state);
        run.State.Part = null;
    }
}

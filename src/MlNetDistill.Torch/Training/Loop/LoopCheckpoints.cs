using System.Diagnostics;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>Continues a run that was interrupted, and saves its state where that is due. Without a directory it only measures the time of the run.</summary>
/// <param name="state">The state of the run.</param>
/// <param name="settings">Its settings.</param>
internal sealed class LoopCheckpoints(TrainingState state, LoopSettings settings) : IDisposable
{
    private readonly Stopwatch _clock = new();
    private SavedState? _saved;
    private TimeSpan _before;
    private int _phasesEnded;

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
        (_before, _phasesEnded) = (state.Elapsed, _saved.PhasesEnded);
        foreach (var warning in state.Warnings)
            settings.Warn(warning);
        settings.Checkpoints!.Continues(state.History.Count, state.IsFinished);
    }

    /// <summary>Whether a phase had ended where the run was interrupted.</summary>
    /// <param name="phase">Its number, from 1.</param>
    public bool HasEnded(int phase) => phase <= _phasesEnded;

    /// <summary>Whether the run was interrupted in a phase.</summary>
    /// <param name="phase">Its number, from 1.</param>
    public bool IsInterruptedIn(int phase) => _saved?.InterruptedPhase == phase;

    /// <summary>Before a phase that was interrupted begins again: sets the generators to their states before it began first.</summary>
    public void RestoreStart() => _saved!.RestoreStart(state);

    /// <summary>After it has begun again: restores where it was interrupted.</summary>
    /// <param name="run">The stage.</param>
    /// <param name="training">Positions of the rows trained on.</param>
    public void Restore(StageRun run, Tensor training)
    {
        if (run.Stage.Sampler.KeepsState)
            DrawnEpochs.Draw(run.Stage.Sampler, training, state.Shuffling!, _saved!.EpochsOfStage);
        _saved!.Restore(state, run.State);
        if (run.State.Part is not { } part)
        {
            Release();
            return;
        }

        using var scope = NewDisposeScope();
        run.Losses.Restore(part.Losses);
        run.Measures?.Restore(part.Measures);
        if (part.Quiz is { } sum)
            run.Bilevel!.Restore(sum);
    }

    /// <summary>After the order of the rows of an epoch was drawn again: sets the other generators to where they were in it.</summary>
    public void RestoreOtherGenerators()
    {
        _saved!.RestoreOtherGenerators(state);
        Release();
    }

    /// <summary>
    /// Saves the state before a round, if that is due and something was trained since the epoch began or was continued. (Before the next round and not after the last one, so that
    /// an epoch that continues has a step.)
    /// </summary>
    public void RoundBegins(StageRun run, Func<EpochPart> part)
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

    public void Dispose() => Release();

    // It may be several times as large as the network.
    private void Release()
    {
        _saved?.Dispose();
        _saved = null;
    }

    private void Save(StageRun run, EpochPart? part)
    {
        state.Elapsed = Elapsed;
        run.State.Part = part;
        settings.Checkpoints!.Save(state);
        run.State.Part = null;
    }
}

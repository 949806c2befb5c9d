using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>Goes back to the end of the last good epoch where numbers are not finite, if the settings say so.</summary>
/// <param name="run">The stage.</param>
/// <param name="state">The state of the training.</param>
/// <param name="settings">Its settings.</param>
/// <param name="training">Positions of the rows trained on.</param>
/// <param name="readsTeacher">Whether the steps read the teacher's outputs, and not those of a copy that changes.</param>
internal sealed class Recovery(StageRun run, TrainingState state, LoopSettings settings, Tensor training, bool readsTeacher) : IDisposable
{
    private readonly OutputCheck _outputs = new(training, settings.ScoringBatchSize);
    private TrainingSnapshot? _good;

    /// <summary>Trains an epoch; once more, with a lower learning rate, if it was not good.</summary>
    /// <param name="train">Trains an epoch; null if training was ended before its first step.</param>
    public EpochResult? Run(Func<EpochResult?> train)
    {
        if (settings.OnNonFinite.MaxTimesBack is not { } most)
            return train();
        (_good ??= new TrainingSnapshot()).Take(state);
        while (true)
        {
            try
            {
                var epoch = train();
                if (epoch is not null)
                    _outputs.Check(run);
                return epoch;
            }
            catch (NonFiniteLossException fault) when (run.State.TimesGoneBack < most)
            {
                GoBack(fault);
            }
        }
    }

    public void Dispose() => _good?.Dispose();

    private void GoBack(NonFiniteLossException fault)
    {
        RewindSampler(_good!.Epoch);
        _good.Restore(state);
        ResetEpoch();
        run.State.TimesGoneBack++;
        run.State.RateFactor *= settings.OnNonFinite.RateFactor;
        var to = run.State.Epoch == 0 ? "the beginning of the stage" : Invariant($"the end of epoch {run.State.Epoch}");
        settings.Warn(
            Invariant($"Stage '{fault.Stage}' goes back to {to} and on with {run.State.RateFactor:G3} of its learning rates ") +
            Invariant($"(time {run.State.TimesGoneBack} of {settings.OnNonFinite.MaxTimesBack}): {fault.Message}"));
    }

    private void ResetEpoch()
    {
        using var scope = NewDisposeScope();
        run.Losses.Reset();
        run.Bilevel?.Reset();
        run.Guard?.Reset();
        run.Measures?.Reset();
        foreach (var parameter in run.Parameters)
            parameter.grad = null;
    }

    /// <summary>Brings a sampler whose epochs depend on each other to where it was after some epochs.</summary>
    private void RewindSampler(int epochs)
    {
        if (!run.Stage.Sampler.KeepsState)
            return;
        state.Shuffling!.set_state(run.State.Generators[TrainingState.ShufflingName]);
        StagePreparation.PrepareSampler(run.Stage, run.Set, training, state.Shuffling, settings, readsTeacher);
        DrawnEpochs.Draw(run.Stage.Sampler, training, state.Shuffling, epochs);
    }
}

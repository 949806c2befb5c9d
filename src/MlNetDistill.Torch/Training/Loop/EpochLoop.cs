using System.Diagnostics;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>Trains the epochs of a stage, one by one.</summary>
/// <param name="run">The stage.</param>
/// <param name="rows">The rows.</param>
/// <param name="state">The state of the training.</param>
/// <param name="settings">Its settings.</param>
/// <param name="stop">Ends it early.</param>
/// <param name="checkpoints">Saves it.</param>
internal sealed class EpochLoop(StageRun run, EpochRows rows, TrainingState state, LoopSettings settings, TrainingStop stop, LoopCheckpoints checkpoints)
{
    private readonly TrainingExecution _execution = new(settings.GradientClipping, settings.Precision);
    private bool _trainsTeacher;
    private int _rounds;
    private long _rows;

    /// <summary>Trains an epoch, or the rest of one that was interrupted; null if training was ended before its first step that counts.</summary>
    public EpochResult? Run()
    {
        var clock = Stopwatch.StartNew();
        var before = Begin();
        (_rounds, _rows) = (before?.Rounds ?? 0, before?.Rows ?? 0);
        TrainRounds(before is not null);
        // Ended before a step of its own: there is nothing to report beside what was reported when it was interrupted.
        if (stop.Stage is not null && _rows == before?.Rows)
            return null;
        if (_rows == 0)
        {
            return stop.Stage is not null ? null : throw new InvalidOperationException(FormattableString.Invariant(
                $"The sampler of stage '{run.Stage.Name}' gave no batch in epoch {run.State.Epoch} from {rows.Training.shape[0]} rows, so nothing was learnt."));
        }

        // All batches of the part that was trained were skipped. If there is something to return, that is no reason not to.
        if (stop.Stage is not null && !run.Losses.HasSteps && !(run.State.IsFirst && run.State.Epoch == 1))
            return null;
        return End(clock, _rows - (before?.Rows ?? 0));
    }

    /// <summary>Begins an epoch, or continues one that was saved in its middle.</summary>
    /// <returns>How far it was; null if it begins.</returns>
    private EpochPart? Begin()
    {
        run.State.BeginEpoch(state.Shuffling!);
        var part = run.State.Part;
        run.State.Part = null;
        if (part is not null)
        {
            run.ContinueEpoch(part.Batches, part.Skipped);
        }
        else
        {
            run.BeginEpoch();
            state.Epochs++;
        }

        _trainsTeacher = rows.Quiz is not null && run.Bilevel!.IsActive;
        return part;
    }

    private void TrainRounds(bool isContinued)
    {
        var trained = 0;
        var all = Rounds.Divide(run.Stage.Sampler.Epoch(rows.Training, state.Shuffling!), _trainsTeacher ? run.Bilevel!.BatchesPerRound : 1);
        foreach (var round in isContinued ? Rounds.SkipTrained(all, _rounds, checkpoints.RestoreOtherGenerators) : all)
        {
            // One look at the clock: training never ends without having been saved.
            if (stop.IsRequested)
            {
                checkpoints.StopsEarly(run, Save);
                if (stop.IsDue(run.Stage, state))
                    return;
            }

            if (trained > 0)
                checkpoints.RoundBegins(run, Save);
            Train(round);
            _rounds++;
            trained++;
        }
    }

    private void Train(IReadOnlyList<Tensor> round)
    {
        using var scope = NewDisposeScope();
        Batch[] batches = [.. round.Select(positions => settings.View is { } view ? view(positions, state.Epochs) : Batch.Gather(run.Set, positions))];
        if (_trainsTeacher)
            run.Bilevel!.UpdateTeacher(batches, rows.Quiz!.GetBatches(settings.ScoringBatchSize, run.Bilevel.QuizBatches, state.Quizzing!));
        foreach (var batch in batches)
        {
            run.BeginStep();
            using (NewDisposeScope())
                _execution.Step(run, batch);
            state.Steps++;
            run.Observer.StepEnds();
            _rows += batch.Positions.shape[0];
        }
    }

    private EpochResult End(Stopwatch clock, long trained)
    {
        var (stage, own) = (run.Stage, run.State);
        // Fetching the losses waits until the device has computed the epoch, so the time is measured after it.
        run.Guard!.EpochEnds();
        Exception CreateFailure(IReadOnlyList<string> terms) => NonFiniteCauses.CreateException(terms, run);
        var losses = run.Losses.TakeMeans(stage.Name, own.Epoch, CreateFailure);
        losses = run.Bilevel?.AddMean(losses, CreateFailure) ?? losses;
        var rowsPerSecond = trained / clock.Elapsed.TotalSeconds;
        var validation = rows.HeldOut.Evaluate(stage);
        state.Elapsed = checkpoints.Elapsed;
        var timeLeft = (state.Elapsed - own.Began) / own.Epoch * (stage.Epochs - own.Epoch);
        var measured = run.Measures!.Take();
        var progress = new TrainingProgress(stage.Name, own.Epoch, stage.Epochs, losses, run.LearningRate, validation, rowsPerSecond, timeLeft, state.Elapsed)
        {
            MeanGradientNorm = measured.MeanNorm,
            LargestGradientNorm = measured.LargestNorm,
            LargestLogit = measured.LargestLogit,
            SkippedBatches = run.Guard.SkippedInEpoch,
            TimesGoneBack = own.TimesGoneBack,
        };
        return new EpochResult(run, progress, _rows, clock.Elapsed);
    }

    private EpochPart Save()
    {
        // What is not finite is found before it is saved.
        run.Guard!.EpochEnds();
        return new(_rounds, _rows, run.Batch, run.Guard.SkippedInEpoch, run.Losses.Save(), run.Measures!.Save(), _trainsTeacher ? run.Bilevel!.Save() : null);
    }
}

/// <summary>The rows of the epochs of a stage.</summary>
/// <param name="Training">Positions of those trained on.</param>
/// <param name="Quiz">The quiz of a bilevel stage; null in other stages.</param>
/// <param name="HeldOut">Those that judge the student.</param>
internal sealed record EpochRows(Tensor Training, QuizRows? Quiz, HeldOutRows HeldOut);

using System.Diagnostics;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>
/// Trains a network in phases, whatever the method. Each phase starts with the best weights of the phase before it. All that training changes is in
/// <see cref="State"/>; observers keep the best epoch, report, warn and stop.
/// </summary>
/// <param name="student">The network to train.</param>
/// <param name="task">What it is trained for.</param>
/// <param name="set">All rows.</param>
/// <param name="split">The training rows and the held-out rows.</param>
/// <param name="seeds">The seeds of the run.</param>
/// <param name="role">The role of the network in the fit, such as teacher or student; a part of its seeds.</param>
/// <param name="settings">Settings.</param>
internal sealed class TrainingLoop(Network student, StudentTask task, IRowSource set, DataSplit split, Seeds seeds, string role, LoopSettings settings) : IDisposable
{
    private readonly OutputShapes _shapes = student.GetOutputShapes();
    private readonly HeldOutRows _heldOut = new(student, task, set, split, settings);
    private readonly TrainingExecution _execution = new(settings.GradientClipping, settings.Precision);
    private readonly Stopwatch _clock = new();
    private readonly TrainingStop _stop = new(settings, role);
    private ObserverList _observers = new();
    private TimeSpan _elapsedBefore;

    public TrainingState State { get; } = TrainingState.Start(student, seeds, role);

    /// <summary>Whether the run was ended early: it was cancelled, or its time was used up.</summary>
    public bool Cancelled => _stop.Stage is not null;

    /// <summary>A warning that says where and why the run was ended early, and which weights it ended with; null if it was not.</summary>
    public string? StopWarning => Cancelled ? _stop.Warning(State.Best.Result is not null) : null;

    /// <summary>The mean over the held-out rows of KL(teacher ‖ student) at temperature 1, with the student's present weights.</summary>
    public double HeldOutDivergence(StageTeacher teacher) => _heldOut.Divergence(teacher);

    public void Run(IEnumerable<TrainingPhase> phases)
    {
        _clock.Start();
        settings.Budget.Begin();
        try
        {
            RunAll(phases);
        }
        finally
        {
            settings.Budget.End();
        }
    }

    public void Dispose() => State.Dispose();

    private void RunAll(IEnumerable<TrainingPhase> phases)
    {
        task.CheckLabels(set);
        _observers = StandardObservers.Create(State, Recorded, role, split.Training);
        using var saved = settings.Checkpoints?.Load();
        if (saved is not null)
            Continue(saved);
        foreach (var phase in phases)
        {
            State.Phases++;
            if (phase is null)
                throw new InvalidOperationException("The method returned null for a phase. Let it return stages.");
            if (saved?.HasEnded(State.Phases) == true)
                continue;
            DistillationInstruments.Trace("distillation.stage", activity => Train(phase, State.Phases == saved?.Phases ? saved : null, activity));

            if (!Cancelled)
                continue;
            // A later phase that is cut off may be worse than the best epoch of an earlier one.
            State.Best.Restore(student);
            return;
        }

        if (State.Phases == 0)
            throw new InvalidOperationException("The method returned no phase, so nothing was trained.");
        if (State.IsFinished)
            return;
        State.IsFinished = true;
        settings.Checkpoints?.Save(State);
    }

    private void Continue(SavedState saved)
    {
        saved.Restore(State);
        _elapsedBefore = State.Elapsed;
        foreach (var warning in State.Warnings)
            settings.Warn(warning);
        settings.Checkpoints!.Continues(saved.Epochs);
    }

    /// <param name="phase">The phase.</param>
    /// <param name="saved">The state in which the phase was interrupted; null to train all of it.</param>
    /// <param name="activity">Describes it.</param>
    private void Train(TrainingPhase phase, SavedState? saved, Activity? activity)
    {
        var stage = phase.StudentStage;
        activity?.SetTag(DistillationInstruments.NetworkTag, role)
            .SetTag(DistillationInstruments.StageTag, stage.Name).SetTag("distillation.epochs", stage.Epochs);
        using var quiz = phase is BilevelStage bilevel ? QuizRows.Divide(bilevel, set, split.Training, seeds, role) : null;
        var training = quiz?.Training ?? split.Training;
        saved?.RestoreStart(State);
        using var run = Begin(phase, training);
        using var recovery = new Recovery(run, State, Recorded, new OutputCheck(training, settings.ScoringBatchSize));
        try
        {
            _observers.StageBegins(run);
            // The preparation of teacher and sampler does not count as time of an epoch.
            run.State.Began = Elapsed;
            if (saved is not null)
                Restore(run, saved);
            while (!run.State.IsStopped && (run.State.Part is not null || run.State.Epoch < stage.Epochs) && recovery.Run(() => TrainEpoch(run, training, quiz, saved)) is { } epoch)
            {
                _observers.EpochEnds(epoch);
                run.State.IsStopped = epoch.EndsStage;
                if (Cancelled)
                    break;
                if (settings.Checkpoints?.IsDueAfter(run.State.Epoch) == true)
                    Save(run, null);
            }

            _observers.StageEnds(run);
        }
        finally
        {
            State.Stage = null;
            student.TrainOnly(NetworkPart.Whole);
            stage.Teacher?.End();
        }
    }

    private TimeSpan Elapsed => _elapsedBefore + _clock.Elapsed;

    // Where training may go back to the end of an epoch, it must be able to do so after it was interrupted too.
    private bool SavesWithinEpochs => settings.Checkpoints is not null && settings.OnNonFinite.MaxTimesBack is null;

    private void Save(StageRun run, EpochPart? part)
    {
        State.Elapsed = Elapsed;
        run.State.Part = part;
        settings.Checkpoints!.Save(State);
        run.State.Part = null;
    }

    private void Restore(StageRun run, SavedState saved)
    {
        saved.Restore(State, run.State);
        if (run.State.Part is not { } part)
            return;
        run.Losses.Restore(part.Losses);
        run.Measures?.Restore(part.Measures);
        if (part.Quiz is { } sum)
            run.Bilevel!.Restore(sum);
    }

    /// <summary>Begins an epoch, or continues one that was saved in its middle.</summary>
    /// <returns>How far it was; null if it begins.</returns>
    private EpochPart? BeginEpoch(StageRun run)
    {
        var state = run.State;
        state.BeginEpoch(State.Shuffling!);
        if (state.Part is { } part)
        {
            state.Part = null;
            run.ContinueEpoch(part.Batches, part.Skipped);
            return part;
        }

        run.BeginEpoch();
        State.Epochs++;
        return null;
    }

    private EpochResult? TrainEpoch(StageRun run, Tensor training, QuizRows? quiz, SavedState? saved)
    {
        var (stage, state, clock) = (run.Stage, run.State, Stopwatch.StartNew());
        var before = BeginEpoch(run);
        var (rounds, rows) = (before?.Rounds ?? 0, before?.Rows ?? 0);
        var isActive = quiz is not null && run.Bilevel!.IsActive;
        var all = Rounds.Divide(stage.Sampler.Epoch(training, State.Shuffling!), isActive ? run.Bilevel!.BatchesPerRound : 1);
        foreach (var round in before is null ? all : Rounds.SkipTrained(all, rounds, () => saved!.RestoreOtherGenerators(State)))
        {
            if (IsStopDue(run, Part))
                break;
            using var scope = NewDisposeScope();
            Batch[] batches = [.. round.Select(positions => settings.View is { } view ? view(positions, State.Epochs) : Batch.Gather(set, positions))];
            if (isActive)
                run.Bilevel!.UpdateTeacher(batches, quiz!.GetBatches(settings.ScoringBatchSize, run.Bilevel.QuizBatches, State.Quizzing!));
            foreach (var batch in batches)
            {
                run.BeginStep();
                using (NewDisposeScope())
                    _execution.Step(run, batch);
                State.Steps++;
                _observers.StepEnds();
                rows += batch.Positions.shape[0];
            }

            rounds++;
            if (SavesWithinEpochs && settings.Checkpoints!.IsDue)
                Save(run, Part());
        }

        if (rows == 0)
        {
            return Cancelled ? null : throw new InvalidOperationException(FormattableString.Invariant(
                $"The sampler of stage '{stage.Name}' gave no batch in epoch {state.Epoch} from {training.shape[0]} rows, so nothing was learnt."));
        }

        // Fetching the losses waits until the device has computed the epoch, so the time is measured after it.
        run.Guard!.EpochEnds();
        Exception CreateFailure(IReadOnlyList<string> terms) => NonFiniteCauses.CreateException(terms, run);
        var losses = run.Losses.TakeMeans(stage.Name, state.Epoch, CreateFailure);
        losses = run.Bilevel?.AddMean(losses, CreateFailure) ?? losses;
        var rowsPerSecond = (rows - (before?.Rows ?? 0)) / clock.Elapsed.TotalSeconds;
        var validation = _heldOut.Evaluate(stage);
        State.Elapsed = Elapsed;
        var timeLeft = (State.Elapsed - state.Began) / state.Epoch * (stage.Epochs - state.Epoch);
        var measured = run.Measures!.Take();
        var progress = new TrainingProgress(
            stage.Name, state.Epoch, stage.Epochs, losses, run.LearningRate, validation, rowsPerSecond, timeLeft, State.Elapsed)
        {
            MeanGradientNorm = measured.MeanNorm,
            LargestGradientNorm = measured.LargestNorm,
            LargestLogit = measured.LargestLogit,
            SkippedBatches = run.Guard.SkippedInEpoch,
            TimesGoneBack = state.TimesGoneBack,
        };
        return new EpochResult(run, progress, rows, clock.Elapsed);

        EpochPart Part()
        {
            // What is not finite is found before it is saved.
            run.Guard?.EpochEnds();
            return new(rounds, rows, run.Batch, run.Guard?.SkippedInEpoch ?? 0, run.Losses.Save(), run.Measures?.Save(), isActive ? run.Bilevel!.Save() : null);
        }
    }

    private StageRun Begin(TrainingPhase phase, Tensor training)
    {
        var stage = phase.StudentStage;
        StageChecks.Check(phase, student, set, settings.View is not null);
        foreach (var warning in StageChecks.Warnings(stage, task, settings.EarlyStopping is not null, settings.ScoringBatchSize))
            Warn(warning);
        stage = stage with { Sampler = CheckedSampler.Wrap(stage.Sampler.ForRows(set), stage.Name, set) };
        var state = State.BeginStage(stage.Name, settings.StartsTrained);
        StagePreparation.Prepare(stage, set, training, State.Shuffling!, settings, phase.ReadsTeacher);
        if (phase.ReadsTeacher && stage.Teacher is { } teacher)
            settings.Checkpoints?.TeacherBegins(State.Phases, teacher, stage.Loss.TeacherNeeds);
        if (stage.CopiesLastLayer)
            LastLayerCopy.Copy(stage, student);
        var run = StageRun.Begin(stage, phase as BilevelStage, settings.GradientClipping, student, _shapes, set, training.shape[0], State.Projecting!, state, _observers);
        (run.Guard, run.Measures) = (new StepGuard(run, Recorded), new StepMeasures(settings.MeasureTraining, set.Device));
        // A copy that trains can become anything; the loss of its quiz shows it.
        if (run.Bilevel is null)
            run.Answers = new TeacherAnswers(settings.TeacherName, stage.Name, run.Losses.Checks, Warn);
        return run;
    }

    // Warnings are a part of the state, so that a training that continues has them.
    private LoopSettings Recorded => settings with { Warn = Warn };

    private void Warn(string warning)
    {
        if (State.Warnings.Add(warning))
            settings.Warn(warning);
    }

    /// <summary>Whether training ends before the next step; its state is saved then.</summary>
    private bool IsStopDue(StageRun run, Func<EpochPart> part)
    {
        if (!_stop.IsRequested)
            return false;
        if (State.Steps > 0 && SavesWithinEpochs)
            Save(run, part());
        return _stop.IsDue(run.Stage, State);
    }
}

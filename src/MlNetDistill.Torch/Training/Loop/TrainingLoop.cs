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
    private readonly TrainingStop _stop = new(settings, role);
    private ObserverList _observers = new();

    public TrainingState State { get; } = TrainingState.Start(student, seeds, role);

    /// <summary>Whether the run was ended early: it was cancelled, or its time was used up.</summary>
    public bool Cancelled => _stop.Stage is not null;

    /// <summary>A warning that says where and why the run was ended early, and which weights it ended with; null if it was not.</summary>
    public string? StopWarning => Cancelled ? _stop.Warning(State.Best.Result is not null) : null;

    /// <summary>The mean over the held-out rows of KL(teacher ‖ student) at temperature 1, with the student's present weights.</summary>
    public double HeldOutDivergence(StageTeacher teacher) => _heldOut.Divergence(teacher);

    public void Run(IEnumerable<TrainingPhase> phases)
    {
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
        using var checkpoints = new LoopCheckpoints(State, settings);
        checkpoints.Begin();
        foreach (var phase in phases)
        {
            State.Phases++;
            if (phase is null)
                throw new InvalidOperationException("The method returned null for a phase. Let it return stages.");
            if (checkpoints.HasEnded(State.Phases))
                continue;
            DistillationInstruments.Trace("distillation.stage", activity => Train(phase, checkpoints, activity));

            if (!Cancelled)
                continue;
            // A later phase that is cut off may be worse than the best epoch of an earlier one.
            State.Best.Restore(student);
            return;
        }

        if (State.Phases == 0)
            throw new InvalidOperationException("The method returned no phase, so nothing was trained.");
        checkpoints.RunEnds();
    }

    private void Train(TrainingPhase phase, LoopCheckpoints checkpoints, Activity? activity)
    {
        var stage = phase.StudentStage;
        activity?.SetTag(DistillationInstruments.NetworkTag, role)
            .SetTag(DistillationInstruments.StageTag, stage.Name).SetTag("distillation.epochs", stage.Epochs);
        using var quiz = phase is BilevelStage bilevel ? QuizRows.Divide(bilevel, set, split.Training, seeds, role) : null;
        var training = quiz?.Training ?? split.Training;
        var isContinued = checkpoints.IsInterruptedIn(State.Phases);
        if (isContinued)
            checkpoints.RestoreStart();
        using var run = Begin(phase, training);
        using var recovery = new Recovery(run, State, Recorded, training, phase.ReadsTeacher);
        try
        {
            _observers.StageBegins(run);
            // The preparation of teacher and sampler does not count as time of an epoch.
            run.State.Began = checkpoints.Elapsed;
            if (isContinued)
                checkpoints.Restore(run, training);
            var epochs = new EpochLoop(run, new EpochRows(training, quiz, _heldOut), State, settings, _stop, checkpoints);
            while (run.HasEpochsLeft && recovery.Run(epochs.Run) is { } epoch)
            {
                _observers.EpochEnds(epoch);
                run.State.IsStopped = epoch.EndsStage;
                if (Cancelled)
                    break;
                checkpoints.EpochEnds(run);
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
}

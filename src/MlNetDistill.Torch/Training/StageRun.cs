using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace MlNetDistill.Training;

/// <summary>A stage that is being trained: what its steps need. Everything that training changes is in <see cref="State"/>.</summary>
internal sealed class StageRun : IDisposable
{
    private readonly int _stepsPerEpoch;

    /// <param name="stage">The stage.</param>
    /// <param name="student">The student.</param>
    /// <param name="shapes">Shapes of its outputs.</param>
    /// <param name="set">All rows.</param>
    /// <param name="rows">Number of training rows.</param>
    /// <param name="projectionGenerator">Draws the initial weights of projections.</param>
    /// <param name="state">The state of the stage; receives its projections and its optimizer state.</param>
    /// <param name="observer">Is notified within each step.</param>
    /// <exception cref="InvalidOperationException">The stage trains no parameters.</exception>
    public StageRun(
        Stage stage, Network student, OutputShapes shapes, IRowSource set, long rows, Generator projectionGenerator, StageState state, ITrainingObserver observer)
    {
        (Stage, Student, Set, State, Observer) = (stage, student, set, state, observer);
        state.Projections = new StageProjections(stage, shapes, projectionGenerator, set.Device);
        Parameter[] trainable = [.. student.TrainableParameters(stage.Trains)];
        if (trainable.Length == 0)
        {
            throw new InvalidOperationException(
                $"Stage '{stage.Name}' has nothing to train: the part of the student that it trains ({stage.Trains}) has no parameters, or all of them have requires_grad off. Train another part, or turn requires_grad on.");
        }

        var names = student.named_parameters().DistinctBy(p => p.parameter, ReferenceEqualityComparer.Instance).ToDictionary(p => (object)p.parameter, p => p.name, ReferenceEqualityComparer.Instance);
        state.Optimizer = new OptimizerState(trainable.Select(p => ($"student/{names[p]}", p)).Concat(state.Projections.Parameters().Select(p => ($"projections/{p.Name}", p.Parameter))));
        Parameters = [.. state.Optimizer.Parameters.Select(p => p.Value)];
        Losses = new EpochLosses(stage.Loss, trainable, set.Device, state);
        _stepsPerEpoch = stage.Sampler.BatchesPerEpoch(rows);
    }

    /// <summary>Begins a stage; a bilevel stage with a copy of its teacher. If that fails, the state of the stage is disposed with all that was created for it.</summary>
    /// <inheritdoc cref="StageRun(Stage, Network, OutputShapes, IRowSource, long, Generator, StageState, ITrainingObserver)"/>
    public static StageRun Begin(
        Stage stage, BilevelStage? bilevel, double? gradientClipping, Network student, OutputShapes shapes, IRowSource set, long rows, Generator projectionGenerator,
        StageState state, ITrainingObserver observer)
    {
        StageRun? run = null;
        try
        {
            if (bilevel is not null)
                stage = stage with { Teacher = state.TeacherCopy = stage.Teacher!.CreateTrainableCopy() };
            run = new StageRun(stage, student, shapes, set, rows, projectionGenerator, state, observer);
            run.Bilevel = bilevel is null ? null : new BilevelRun(bilevel, run, gradientClipping);
            return run;
        }
        catch
        {
            run?.Dispose();
            state.Dispose();
            throw;
        }
    }

    public Stage Stage { get; }

    public Network Student { get; }

    public IRowSource Set { get; }

    public StageState State { get; }

    public ITrainingObserver Observer { get; }

    /// <summary>All trainable parameters: those of the student and of projections.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    public EpochLosses Losses { get; }

    /// <summary>Checks what the teacher answers; null for a teacher whose answers need no check.</summary>
    public TeacherAnswers? Answers { get; set; }

    /// <summary>What trains the teacher's copy; null if the teacher is fixed.</summary>
    public BilevelRun? Bilevel { get; set; }

    /// <summary>Refuses losses and gradients that are not finite; null where they do not matter.</summary>
    public StepGuard? Guard { get; set; }

    /// <summary>Measures gradients and logits; null where nobody reads them.</summary>
    public StepMeasures? Measures { get; set; }

    /// <summary>The batch of the present epoch, from 1.</summary>
    public int Batch { get; private set; }

    /// <summary>The learning rate of the last step.</summary>
    public double LearningRate { get; private set; }

    /// <summary>The momentum that the schedule sets, as PyTorch's OneCycleLR does: of AdamW the first of its betas. Null for the optimizer's own.</summary>
    public double? Momentum { get; private set; }

    /// <summary>Whether an epoch, or a part of one, is still to be trained.</summary>
    public bool HasEpochsLeft => !State.IsStopped && (State.Part is not null || State.Epoch < Stage.Epochs);

    public void BeginEpoch()
    {
        State.Epoch++;
        ContinueEpoch(0, 0);
    }

    /// <summary>Continues an epoch that was begun before.</summary>
    /// <param name="batches">Batches of the epoch so far.</param>
    /// <param name="skipped">Those of them that were not learnt from.</param>
    public void ContinueEpoch(int batches, int skipped)
    {
        Batch = batches;
        Guard?.BeginEpoch(skipped);
        Stage.Teacher?.BeginEpoch(State.Epoch);
        // Validation put everything into eval mode.
        Student.TrainOnly(Stage.Trains);
        State.Projections!.Train();
    }

    /// <summary>Counts a step and computes its learning rate and momentum.</summary>
    public void BeginStep()
    {
        var (factor, momentum) = FollowSchedule(Stage.Schedule);
        (LearningRate, Momentum) = (Stage.Optimizer.LearningRate * factor, momentum);
        State.Step++;
        Batch++;
    }

    /// <summary>The factor of the learning rate, and the momentum, that a schedule has for the next step.</summary>
    public (double Factor, double? Momentum) FollowSchedule(LearningRateSchedule schedule)
    {
        var steps = (long)Stage.Epochs * _stepsPerEpoch;
        return (schedule.FactorAt(State.Step, steps, _stepsPerEpoch) * State.RateFactor, schedule.CheckedMomentumAt(State.Step, steps));
    }

    /// <summary>Creates the inputs of the loss for a step.</summary>
    public LossInputs CreateInputs(Batch batch, NetworkOutput student)
    {
        var teacher = Stage.Loss.TeacherNeeds == ModelOutputs.None ? null : Stage.Teacher;
        return new LossInputs(student, null, batch.Labels, batch.Weights, Set.HasMissingLabels)
        {
            SoftLabels = batch.SoftLabels,
            HasNoLabels = Stage.HasNoLabels,
            // By the task, before the first stage.
            LabelsAreChecked = true,
            Checks = Losses.Checks,
            Projections = State.Projections!.OfTerms,
            // The first term that reads the teacher's outputs queries it. KD reads softened log-probabilities, which a cache may have without the logits.
            QueryTeacher = teacher is null ? null : () => Query(teacher, batch),
            TeacherSoftening = teacher is null ? null : (inputs, temperature) =>
            {
                using (no_grad())
                    return teacher.TryGetLogProbabilities(batch, temperature) ?? teacher.LogProbabilities(batch, inputs.Teacher, temperature);
            },
        };
    }

    private NetworkOutput Query(StageTeacher teacher, Batch batch)
    {
        using var noGrad = no_grad();
        var answers = teacher.Outputs(batch, Stage.Loss.TeacherNeeds);
        Answers?.Check(teacher, batch, answers);
        return answers;
    }

    public void Dispose()
    {
        Guard?.Dispose();
        Measures?.Dispose();
        Bilevel?.Dispose();
        Losses.Dispose();
        State.Dispose();
    }
}

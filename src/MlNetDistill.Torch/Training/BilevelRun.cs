using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Teachers;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>A bilevel stage that is being trained: updates its copy of the teacher, round by round. What changes is in the state of the stage.</summary>
internal sealed class BilevelRun : IDisposable
{
    /// <summary>The name of the quiz loss in the progress.</summary>
    public const string QuizName = "quiz";

    private readonly BilevelStage _stage;
    private readonly StageRun _run;
    private readonly BilevelRound _round;
    private readonly double? _gradientClipping;
    private readonly Tensor _quizSum;
    private int _rounds;

    /// <param name="stage">The stage.</param>
    /// <param name="run">The training of the student in it, whose teacher is the copy.</param>
    /// <param name="gradientClipping">The largest norm of the teacher's gradient; null for no limit.</param>
    /// <param name="pilotStepped">Called after each step of a pilot with the loss before it.</param>
    public BilevelRun(BilevelStage stage, StageRun run, double? gradientClipping, Action<Tensor>? pilotStepped = null)
    {
        var teacher = (TrainableTeacher)run.Stage.Teacher!;
        (_stage, _run, _gradientClipping) = (stage, run, gradientClipping);
        (run.State.TeacherCopy, run.State.TeacherOptimizer) = (teacher, new OptimizerState(teacher.Parameters));
        _round = new BilevelRound(run.Student, teacher, run.Parameters, run.Stage.Loss, stage.QuizLoss) { PilotStepped = pilotStepped ?? (_ => { }) };
        _quizSum = zeros(1, float64, run.Set.Device).DetachFromDisposeScope();
    }

    /// <summary>Whether the teacher trains in the present epoch.</summary>
    public bool IsActive => _run.State.Epoch > _stage.FixedTeacherEpochs;

    /// <summary>The training batches of a round.</summary>
    public int BatchesPerRound => _stage.BatchesPerRound;

    /// <summary>The quiz batches of a round; null for all.</summary>
    public int? QuizBatches => _stage.QuizBatches;

    /// <summary>Updates the teacher by how the student, after it learnt the batches, does on the quiz. The student stays as it is.</summary>
    public void UpdateTeacher(IReadOnlyList<Batch> batches, IReadOnlyList<Batch> quiz)
    {
        using var scope = NewDisposeScope();
        var (pilotFactor, _) = _run.FollowSchedule(_run.Stage.Schedule);
        var (factor, momentum) = _run.FollowSchedule(_stage.TeacherSchedule ?? _run.Stage.Schedule);
        var loss = _round.ComputeTeacherGradient(batches, quiz, _stage.PilotLearningRate * pilotFactor, _run.State.Epoch);
        if (_run.Guard is { Defers: false } && !FiniteCheck.IsFinite(loss, isOnCpu: false))
            throw NonFiniteCauses.CreateException([QuizName], _run, Place(batches));
        using (no_grad())
            _quizSum.AddInPlace(loss);
        _rounds++;
        var state = _run.State.TeacherOptimizer!;
        var isInfinite = _gradientClipping is { } norm && !double.IsFinite(nn.utils.clip_grad_norm_(state.Parameters.Select(p => p.Value), norm));
        // Clipping by such a norm has ruined the gradient, even if only its square was too large.
        if (_run.Guard is not null && isInfinite)
            throw NonFiniteCauses.CreateException([NonFiniteLossException.Gradient], _run, Place(batches));
        _stage.TeacherOptimizer.Step(state, _stage.TeacherOptimizer.LearningRate * factor, momentum);
        foreach (var parameter in state.Parameters)
            parameter.Value.grad = null;
    }

    /// <summary>Adds the mean loss of the quiz over the epoch to the means of the terms, and resets it for the next epoch.</summary>
    /// <param name="means">The means of the terms.</param>
    /// <param name="failure">Creates the exception if the loss is NaN or infinite.</param>
    public IReadOnlyDictionary<string, double> AddMean(IReadOnlyDictionary<string, double> means, Func<IReadOnlyList<string>, Exception> failure)
    {
        if (_rounds == 0)
            return means;
        using var scope = NewDisposeScope();
        var mean = _quizSum.item<double>() / _rounds;
        _quizSum.zero_();
        _rounds = 0;
        return double.IsFinite(mean) ? new Dictionary<string, double>(means) { [QuizName] = mean } : throw failure([QuizName]);
    }

    /// <summary>The sum of the quiz losses so far.</summary>
    public QuizSum Save() => new(_rounds, _quizSum.item<double>());

    /// <summary>Continues with a sum that was saved.</summary>
    public void Restore(QuizSum saved)
    {
        _rounds = saved.Rounds;
        using var sum = saved.Sum.ToScalar();
        _quizSum.fill_(sum);
    }

    /// <summary>Forgets the quizzes of an epoch that is trained once more.</summary>
    public void Reset()
    {
        _rounds = 0;
        _quizSum.zero_();
    }

    // The batches of a round are those that the student learns next.
    private NonFinitePlace Place(IReadOnlyList<Batch> batches) => NonFinitePlace.Create(_run.Batch + 1, _run.Set, cat([.. batches.Select(batch => batch.Positions)]));

    public void Dispose()
    {
        _round.Dispose();
        _quizSum.Dispose();
    }
}

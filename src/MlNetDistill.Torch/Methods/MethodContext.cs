using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;

namespace MlNetDistill.Methods;

/// <summary>What a method builds its phases from.</summary>
/// <param name="Anchors">The teacher as one anchor, the anchors of a route in order, or none where the method needs no teacher.</param>
/// <param name="Student">Shapes of the student's outputs.</param>
/// <param name="Sampler">The usual sampler.</param>
/// <param name="Epochs">Number of epochs.</param>
/// <param name="Optimizer">The optimiser.</param>
/// <param name="Schedule">The learning-rate schedule.</param>
public sealed record MethodContext(
    IReadOnlyList<Anchor> Anchors, OutputShapes Student, Sampler Sampler, int Epochs, Optimizer Optimizer, LearningRateSchedule Schedule)
{
    /// <summary>The teacher; of a route the last anchor. Null where there is none.</summary>
    public StageTeacher? Teacher => Anchors.Count == 0 ? null : Anchors[^1].Teacher;

    /// <summary>
    /// The mean over the held-out rows of KL(teacher ‖ student) at temperature 1, with the student's present weights. Null where no rows are held out.
    /// </summary>
    public Func<StageTeacher, double>? HeldOutDivergence { get; init; }

    /// <summary>
    /// A choice that depends on how training has gone, for example by <see cref="HeldOutDivergence"/>. It is kept with the state of the training, so that resumed
    /// training makes the same choice without calling <paramref name="choose"/>.
    /// </summary>
    /// <param name="question">What is to be chosen, in a few words.</param>
    /// <param name="choose">Makes the choice and returns it as a number.</param>
    public int Decide(string question, Func<int> choose)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(question);
        ArgumentNullException.ThrowIfNull(choose);
        return Decisions.Decide(question, choose);
    }

    /// <summary>The loss of the labels, a term beside those of the teacher; for a classifier the cross-entropy.</summary>
    public DistillationLoss LabelLoss { get; init; } = new CrossEntropyLoss();

    /// <summary>The choices made so far.</summary>
    internal MethodDecisions Decisions { get; init; } = new([]);

    /// <summary>Writes what the method decides to the log, as one sentence.</summary>
    public Action<string> Note { get; init; } = _ => { };

    /// <summary>Numbers of anchors and epochs, and the student's outputs.</summary>
    public override string ToString() => $"{NumberText.Count(Anchors.Count, "anchor")}, {NumberText.Count(Epochs, "epoch")}, a student of {Student}";

    /// <summary>A stage over all epochs with the context's teacher, sampler, optimiser and schedule.</summary>
    public Stage Stage(string name, DistillationLoss loss)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(loss);
        return new(name, Teacher, loss, Sampler, Epochs, Optimizer, Schedule);
    }
}

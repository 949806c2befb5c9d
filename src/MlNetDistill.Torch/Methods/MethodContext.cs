using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;

namespace MlNetDistill.Methods;

/// <summary>The inputs from which a method creates its phases.</summary>
/// <param name="Anchors">The teacher as one anchor, the anchors of a route in order, or none if the method needs no teacher.</param>
/// <param name="Student">Shapes of the student's outputs.</param>
/// <param name="Sampler">The sampler that the options set.</param>
/// <param name="Epochs">Number of epochs in the options.</param>
/// <param name="Optimizer">The optimiser in the options.</param>
/// <param name="Schedule">The schedule in the options.</param>
public sealed record MethodContext(
    IReadOnlyList<Anchor> Anchors, OutputShapes Student, Sampler Sampler, int Epochs, Optimizer Optimizer, LearningRateSchedule Schedule)
{
    /// <summary>The teacher, or the last anchor of a route; null if there is none.</summary>
    public StageTeacher? Teacher => Anchors.Count == 0 ? null : Anchors[^1].Teacher;

    /// <summary>
    /// The mean over the held-out rows of KL(teacher ‖ student) at temperature 1, for the current weights of the student. Null if no rows are held out.
    /// </summary>
    public Func<StageTeacher, double>? HeldOutDivergence { get; init; }

    /// <summary>
    /// Makes a choice that depends on the training so far, for example on <see cref="HeldOutDivergence"/>. It is saved with the state of the training, so that resumed
    /// training uses the same choice.
    /// </summary>
    /// <param name="question">What is chosen, in a few words.</param>
    /// <param name="choose">Makes the choice and returns its number.</param>
    public int Decide(string question, Func<int> choose)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(question);
        ArgumentNullException.ThrowIfNull(choose);
        return Decisions.Decide(question, choose);
    }

    /// <summary>The loss of the labels, to be added to the loss of the teacher; cross-entropy for a classifier.</summary>
    public DistillationLoss LabelLoss { get; init; } = new CrossEntropyLoss();

    /// <summary>Temperature and alpha for methods of which they were not set; they depend on teacher and student.</summary>
    public KdDefaults Defaults { get; init; } = KdDefaults.ForImages;

    /// <summary>The choices made so far.</summary>
    internal MethodDecisions Decisions { get; init; } = new([]);

    /// <summary>Logs a decision of the method; one sentence.</summary>
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

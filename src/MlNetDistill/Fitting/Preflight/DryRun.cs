using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>
/// Enumerates the phases of a method without training, with the shapes of the networks that are going to take part: a budget too small, a tap that is
/// not there or an anchor that is not recorded must show now, not after hours of training a teacher.
/// </summary>
internal sealed class DryRun
{
    /// <param name="options">The settings of the fit.</param>
    /// <param name="student">An untrained student.</param>
    /// <param name="set">The rows.</param>
    /// <param name="anchors">The teacher's anchors, as they are or as they are going to be.</param>
    /// <param name="networks">Knows what the rows allow.</param>
    /// <exception cref="InvalidOperationException">The phases cannot be trained; the message says why.</exception>
    public DryRun(DistillationOptions options, Network student, IRowSource set, IReadOnlyList<Anchor> anchors, FitNetworks networks)
    {
        Stages = Enumerated(options, student, set, anchors, networks);
        (Student, Anchors) = (student, anchors);
    }

    /// <summary>An untrained student, for steps that are thrown away.</summary>
    public Network Student { get; }

    /// <summary>The teacher's anchors; such as only have shapes where it is yet to be trained.</summary>
    public IReadOnlyList<Anchor> Anchors { get; }

    /// <summary>The stages, each checked.</summary>
    public IReadOnlyList<Stage> Stages { get; }

    private static IReadOnlyList<Stage> Enumerated(
        DistillationOptions options, Network student, IRowSource set, IReadOnlyList<Anchor> anchors, FitNetworks networks)
    {
        using var generator = new Generator(0);
        var farther = 1.0;
        var context = new MethodContext(
            anchors, student.GetOutputShapes(), options.Sampling.Create(options.BatchSize), options.Epochs, options.Optimizer, options.Schedule)
        {
            // Ever farther: where the choice depends on the student, every anchor is gone through.
            HeldOutDivergence = _ => farther *= 1e6,
        };
        var stages = new List<Stage>();
        foreach (var phase in networks.GetPhases(options.Method, context))
        {
            if (phase is not Stage stage)
                throw new InvalidOperationException(FormattableString.Invariant($"The method {options.Method.Name} gives null for its phase {stages.Count + 1}."));
            StageChecks.Check(stage, student, set, options.Augmentations.Count > 0);
            foreach (var projection in stage.Loss.Terms.SelectMany(t => Projections(t.Loss, stage.Teacher)))
                projection.Dispose();
            stages.Add(stage);
        }

        return stages.Count > 0 ? stages : throw new InvalidOperationException(
            $"The method {options.Method.Name} gives no phase, so nothing would be trained. Its Phases must give at least one, whatever the number of epochs and anchors.");

        IEnumerable<nn.Module<Tensor, Tensor>> Projections(Losses.DistillationLoss loss, StageTeacher? teacher) =>
            teacher is null ? [] : loss.CreateProjections(context.Student, teacher.Shapes, generator);
    }
}

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

    /// <summary>The anchors that a teacher is going to have: with their shapes, and without answers.</summary>
    /// <param name="question">What the teacher is going to be asked.</param>
    /// <param name="build">Builds a network that takes part.</param>
    public static IReadOnlyList<Anchor> PlannedAnchors(TeacherRequest question, Func<NetworkSpec, Network> build)
    {
        var teacher = question.Options.Teacher!;
        var shapes = new Dictionary<NetworkSpec, OutputShapes>();
        return [.. teacher.PlannedAnchors(question).Select(a => new Anchor(a.Label, a.Epoch, new PlannedTeacher(a.Shapes ?? ShapesOf(a.Network), teacher.SupportsAugmentation)))];

        OutputShapes ShapesOf(NetworkSpec? spec)
        {
            if (spec is null)
                return new OutputShapes(question.Columns.Classes.Count);
            if (shapes.TryGetValue(spec, out var known))
                return known;
            using var network = build(spec);
            return shapes[spec] = network.GetOutputShapes();
        }
    }

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
        foreach (var phase in networks.PhasesOf(options.Method, context))
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

    private sealed class PlannedTeacher(OutputShapes shapes, bool supportsAugmentation) : StageTeacher
    {
        public override OutputShapes Shapes => shapes;

        public override bool SupportsAugmentation => supportsAugmentation;

        public override NetworkOutput Outputs(Batch batch, ModelOutputs wanted) =>
            throw new InvalidOperationException(
                "A method's Phases are enumerated once before there is a teacher, to find what cannot work, and this one asks the teacher there. Ask it in a loss.");
    }
}

using MlNetDistill.Alignment;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>
/// Enumerates the phases of a method without training, with the output shapes of the networks: too few epochs, a missing stage feature or a missing anchor must be
/// found now, not after hours of training a teacher.
/// </summary>
internal sealed class DryRun
{
    /// <exception cref="InvalidOperationException">The phases cannot be trained; the message says why.</exception>
    public DryRun(DistillationOptions options, Network student, IRowSource set, IReadOnlyList<Anchor> anchors, FitNetworks networks)
    {
        Phases = Enumerate(options, student, set, anchors, networks);
        (Student, Anchors) = (student, anchors);
    }

    /// <summary>An untrained student, for steps that are thrown away.</summary>
    public Network Student { get; }

    /// <summary>The teacher's anchors; if it is yet to be trained, planned ones without outputs.</summary>
    public IReadOnlyList<Anchor> Anchors { get; }

    /// <summary>The phases, each checked.</summary>
    public IReadOnlyList<TrainingPhase> Phases { get; }

    private static IReadOnlyList<TrainingPhase> Enumerate(
        DistillationOptions options, Network student, IRowSource set, IReadOnlyList<Anchor> anchors, FitNetworks networks)
    {
        using var generator = new Generator(0);
        var divergence = 1.0;
        var context = new MethodContext(
            anchors, student.GetOutputShapes(), options.Sampling.Create(options.BatchSize), options.Epochs, options.Optimizer, options.Schedule)
        {
            // It grows with every call, so that methods that choose by it try every anchor.
            Defaults = options.KdDefaults,
            HeldOutDivergence = _ => divergence *= 1e6,
        };
        var phases = new List<TrainingPhase>();
        foreach (var phase in networks.GetPhases(options.Method, context))
        {
            if (phase is null)
                throw new InvalidOperationException(FormattableString.Invariant($"The method {options.Method.Name} gives null for its phase {phases.Count + 1}."));
            StageChecks.Check(phase, student, set, options.Augmentations.Count > 0);
            if (phase is BilevelStage bilevel)
                networks.CheckQuiz(bilevel);
            var stage = phase.StudentStage;
            CheckClasses(stage, networks.ClassNames);
            foreach (var projection in stage.Loss.Terms.SelectMany(t => Projections(t.Loss, stage.Teacher)))
                projection.Dispose();
            phases.Add(phase);
        }

        return phases.Count > 0 ? phases : throw new InvalidOperationException(
            $"The method {options.Method.Name} gives no phase, so nothing would be trained. Its Phases must give at least one, whatever the number of epochs and anchors.");

        IEnumerable<nn.Module<Tensor, Tensor>> Projections(Losses.DistillationLoss loss, StageTeacher? teacher) =>
            teacher is null ? [] : loss.CreateProjections(context.Student, teacher.Shapes, generator);
    }

    private static void CheckClasses(Stage stage, IReadOnlyList<string>? labels)
    {
        foreach (var term in stage.Loss.Terms)
        {
            if (labels is not null && term.Loss.ClassNames is { } own && !own.SequenceEqual(labels))
            {
                throw new InvalidOperationException(
                    $"The targets of the loss '{term.Loss.Name}' in stage '{stage.Name}' are of the classes {ClassAlignment.Listed(own)}, in this order; those of the label column are {ClassAlignment.Listed(labels)}. " +
                    "Give the similarities in the order of the label's keys, or make both label columns by the same fitted MapValueToKey.");
            }
        }
    }
}

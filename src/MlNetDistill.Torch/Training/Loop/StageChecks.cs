using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using static System.FormattableString;

namespace MlNetDistill.Training;

/// <summary>Checks a stage before its first step.</summary>
internal static class StageChecks
{
    /// <summary>Warnings about the settings of a stage.</summary>
    public static IEnumerable<string> Warnings(Stage stage, StudentTask task, bool stopsEarly, int batchSize)
    {
        foreach (var warning in stage.Loss.Terms.SelectMany(t => t.Loss.Warnings(task.LogitCount).Concat(t.Loss.BatchWarnings(batchSize))))
            yield return warning;
        if (stage.Schedule.Warning(stage.Epochs) is { } schedule)
            yield return $"Stage '{stage.Name}': {schedule}";
        if (stage.Optimizer.WeightDecay > 1 && stage.Optimizer.LearningRate * stage.Optimizer.WeightDecay is var taken and >= 1)
        {
            yield return Invariant(
                $"Stage '{stage.Name}': the optimizer's WeightDecay times its LearningRate is {taken:G3}, so a step at the peak rate takes away all of every weight or more. ") +
                "Keep it far below 1: 0.01 is usual for AdamW's WeightDecay, 1e-4 for Sgd's.";
        }

        if (stopsEarly && !stage.Loss.StudentNeeds.HasFlag(task.JudgedOutput))
            yield return $"Stage '{stage.Name}' reads no {(task.JudgedOutput == ModelOutputs.Logits ? "logits" : "embedding")} of the student, so there is nothing to judge it by: EarlyStopping does not end it, and its last epoch is kept.";
    }

    /// <summary>The faults of a stage, which a user-defined method may have created.</summary>
    private static IEnumerable<string> Validate(Stage stage)
    {
        foreach (var (name, part) in new (string, object?)[]
        {
            (nameof(stage.Loss), stage.Loss),
            (nameof(stage.Sampler), stage.Sampler),
            (nameof(stage.Optimizer), stage.Optimizer),
            (nameof(stage.Schedule), stage.Schedule),
            (nameof(stage.Trains), stage.Trains),
        })
        {
            if (part is null)
                yield return $"Its {name} must be given; it is null.";
        }

        foreach (var term in (stage.Loss?.Terms ?? []).Where(term => string.IsNullOrWhiteSpace(term.Loss.Name)))
            yield return $"Its loss {term.Loss.GetType().Name} has no Name, under which progress and errors speak of it: let its Name give one.";
        foreach (var term in (stage.Loss?.Terms ?? []).Where(term => term.Loss.NeededTerm is { } needed && !stage.Loss!.Terms.Any(other => ReferenceEquals(other.Loss, needed))))
            yield return $"Its loss term '{term.Loss.Name}' uses the projections of a loss '{term.Loss.NeededTerm!.Name}' that is not a term of the same sum: add that very loss to the sum, or give '{term.Loss.Name}' taps of its own.";
        if (stage.Epochs < 1)
            yield return Invariant($"It must have at least 1 epoch; it has {stage.Epochs}.");
        foreach (var fault in (stage.Optimizer?.Validate() ?? []).Concat(stage.Schedule?.Validate() ?? []))
            yield return fault;
    }

    /// <exception cref="InvalidOperationException">The phase cannot be trained; the message says why.</exception>
    public static void Check(TrainingPhase phase, Network student, IRowSource set, bool augments)
    {
        if (phase is BilevelStage bilevel)
            CheckBilevel(bilevel);
        Check(phase.StudentStage, student, set, augments);
    }

    private static void CheckBilevel(BilevelStage stage)
    {
        var faults = Faults.Lines(stage.Validate());
        if (faults.Length > 0)
            throw new InvalidOperationException($"Stage '{stage.Name}': {faults}");
        if (stage.Student.Teacher is { CanBeTrained: false } teacher)
        {
            throw new InvalidOperationException(
                $"Stage '{stage.Name}' trains a copy of its teacher, and this teacher ({teacher.GetType().Name}) cannot be copied and trained: only a network that this library builds can " +
                "(Teacher.Train, Route.Train, Route.FromCheckpoints). Take one of these, or a method with a fixed teacher, such as DistillationMethod.Kd().");
        }
    }

    private static void Check(Stage stage, Network student, IRowSource set, bool augments)
    {
        var faults = Faults.Lines(Validate(stage));
        if (faults.Length > 0)
            throw new InvalidOperationException($"Stage '{stage.Name}': {faults}");
        if (set.Weights is not null && !stage.Loss.CanUseWeights)
        {
            var pairs = stage.Loss.Terms.Where(t => !t.Loss.CanUseWeights).Select(t => $"'{t.Loss.Name}'");
            throw new InvalidOperationException(
                $"Stage '{stage.Name}' has terms over pairs of rows ({string.Join(", ", pairs)}), which example weights cannot weigh; train without weights.");
        }

        var missing = stage.Loss.TeacherNeeds & ~(stage.Teacher?.Provides ?? ModelOutputs.None);
        if (missing != ModelOutputs.None)
        {
            throw new InvalidOperationException(
                $"Stage '{stage.Name}' needs {missing} of its teacher, which gives {stage.Teacher?.Provides ?? ModelOutputs.None}.");
        }

        if (stage.Teacher is not { } teacher || stage.Loss.TeacherNeeds == ModelOutputs.None)
            return;
        if (teacher.Shapes.LogitCount != student.LogitCount)
            throw new InvalidOperationException($"The student has {student.LogitCount} classes, the teacher of stage '{stage.Name}' {teacher.Shapes.LogitCount}.");
        if (augments && !teacher.SupportsAugmentation)
        {
            throw new InvalidOperationException(
                $"The teacher of stage '{stage.Name}' computed its outputs before training for the unaugmented rows, so it has none for augmented ones. " +
                "Train without augmentation, or with a teacher that is a network.");
        }

        if (stage.CopiesLastLayer)
            CheckLastLayer(stage, student, teacher.Shapes);
    }

    // The layer itself is known only once there is a teacher; see LastLayerCopy.
    private static void CheckLastLayer(Stage stage, Network student, OutputShapes teacher)
    {
        if (student.Head.IsIdentity)
            throw new InvalidOperationException($"Stage '{stage.Name}' keeps the teacher's last linear layer, and the student ends in its logits. Give a student that ends in a linear layer.");
        if (stage.Loss.TeacherNeeds.HasFlag(ModelOutputs.StageFeatures) && !(teacher.PoolsLastTap && student.PoolsLastTap))
        {
            throw new InvalidOperationException(
                $"Stage '{stage.Name}' compares the last maps, and the embedding of the {(teacher.PoolsLastTap ? "student" : "teacher")} is not the mean of its last tap, so its last layer reads something else. Compare embeddings: SimKd(SimKdFeatures.Embedding).");
        }
    }
}

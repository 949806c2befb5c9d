using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill.Training;

/// <summary>Refuses a stage that cannot work before its first step.</summary>
internal static class StageChecks
{
    /// <summary>What a user should know before the stage, each as one sentence.</summary>
    public static IEnumerable<string> Cautions(Stage stage, int classes, bool stopsEarly)
    {
        foreach (var caution in stage.Loss.Terms.Select(t => t.Loss.Caution(classes)).OfType<string>())
            yield return caution;
        if (stage.Schedule.Caution(stage.Epochs) is { } schedule)
            yield return $"Stage '{stage.Name}': {schedule}";
        if (stopsEarly && !stage.Loss.StudentNeeds.HasFlag(OutputKinds.Logits))
            yield return $"Stage '{stage.Name}' reads no logits of the student, so there is no accuracy to judge it by: EarlyStopping does not end it, and its last epoch is kept.";
    }

    /// <exception cref="InvalidOperationException">The stage cannot work; the message says why.</exception>
    public static void Check(Stage stage, Network student, TrainingSet set, bool augments)
    {
        if (set.Weights is not null && !stage.Loss.CanUseWeights)
        {
            var pairs = stage.Loss.Terms.Where(t => !t.Loss.CanUseWeights).Select(t => $"'{t.Loss.Name}'");
            throw new InvalidOperationException(
                $"Stage '{stage.Name}' has terms over pairs of rows ({string.Join(", ", pairs)}), which example weights cannot weigh; train without weights.");
        }

        var missing = stage.Loss.TeacherNeeds & ~(stage.Teacher?.Provides ?? OutputKinds.None);
        if (missing != OutputKinds.None)
        {
            throw new InvalidOperationException(
                $"Stage '{stage.Name}' needs {missing} of its teacher, which gives {stage.Teacher?.Provides ?? OutputKinds.None}.");
        }

        if (stage.Teacher is not { } teacher || stage.Loss.TeacherNeeds == OutputKinds.None)
            return;
        if (teacher.Classes != student.Classes)
            throw new InvalidOperationException($"The student has {student.Classes} classes, the teacher of stage '{stage.Name}' {teacher.Classes}.");
        if (augments && !teacher.SeesViews)
        {
            throw new InvalidOperationException(
                $"The teacher of stage '{stage.Name}' answered before training for the rows as they are, so it cannot answer for augmented ones. " +
                "Train without augmentation, or with a teacher that is a network.");
        }
    }
}

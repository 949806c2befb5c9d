using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>The rows that a student is judged on.</summary>
internal sealed class HeldOutRows(Network student, StudentTask task, IRowSource set, DataSplit split, LoopSettings settings)
{
    /// <summary>
    /// Quality by the labels, or by the teacher's outputs where there are none. Null without such rows, and in a stage that learns features and no logits: there is
    /// nothing to judge then.
    /// </summary>
    public ValidationResult? Evaluate(Stage stage)
    {
        if (split.Validation is not { } rows || !stage.Loss.StudentNeeds.HasFlag(ModelOutputs.Logits))
            return null;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var logits = Scoring.Logits(student, split.ValidationSet, rows, settings.ScoringBatchSize);
        return settings.HeldOutTeacherLogits is { } teacher
            ? task.EvaluateAgainstTeacher(logits, teacher, split.ValidationSet.Weights?.index_select(0, rows))
            : Scoring.Evaluate(task, logits, split.ValidationSet, rows);
    }

    /// <summary>The mean of KL(teacher ‖ student) at temperature 1, as the student stands.</summary>
    public double Divergence(StageTeacher teacher)
    {
        var positions = split.Validation ?? throw new InvalidOperationException("No rows are held out to measure a divergence on.");
        if (teacher.NeedsPassPerQuery && ReferenceEquals(split.ValidationSet, set))
            teacher.Begin(set, ModelOutputs.Logits, settings.View);
        return Scoring.Divergence(student, teacher, split.ValidationSet, positions, settings.ScoringBatchSize);
    }
}

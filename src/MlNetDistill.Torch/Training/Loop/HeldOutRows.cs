using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>Evaluates a student on the held-out rows.</summary>
internal sealed class HeldOutRows(Network student, StudentTask task, IRowSource set, DataSplit split, LoopSettings settings)
{
    private readonly bool _hasLabels = split.Validation is { } held && split.ValidationSet.HasLabelledWeight(held);

    /// <summary>
    /// Quality by the labels, or by the teacher's outputs where there are none. Null without such rows, without labels for a teacher that is trained itself, and in a
    /// stage that learns features and no logits: there is nothing to judge then.
    /// </summary>
    public ValidationResult? Evaluate(Stage stage)
    {
        if (split.Validation is not { } rows || !stage.Loss.StudentNeeds.HasFlag(task.JudgedOutput))
            return null;
        // A quality of 0/0 would make the first epoch the best.
        if (settings.HeldOutTeacherLogits is null && !_hasLabels)
            return null;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var logits = Scoring.Logits(student, split.ValidationSet, rows, settings.ScoringBatchSize);
        return settings.HeldOutTeacherLogits is { } teacher
            ? task.EvaluateAgainstTeacher(logits, teacher, split.ValidationSet.Weights?.index_select(0, rows))
            : Scoring.Evaluate(task, logits, split.ValidationSet, rows);
    }

    /// <summary>The mean of KL(teacher ‖ student) at temperature 1, with the student's present weights.</summary>
    public double Divergence(StageTeacher teacher)
    {
        var positions = split.Validation ?? throw new InvalidOperationException("The divergence from a teacher needs held-out rows, and there are none. Hold rows out (ValidationFraction or ValidationData).");
        if (teacher.NeedsPassPerQuery && ReferenceEquals(split.ValidationSet, set))
            teacher.Begin(set, ModelOutputs.Logits, settings.View);
        return Scoring.Divergence(student, teacher, split.ValidationSet, positions, settings.ScoringBatchSize);
    }
}

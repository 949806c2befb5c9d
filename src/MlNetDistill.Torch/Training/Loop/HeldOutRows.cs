using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>Evaluates a student on the held-out rows.</summary>
internal sealed class HeldOutRows(Network student, StudentTask task, IRowSource set, DataSplit split, LoopSettings settings)
{
    /// <summary>
    /// Evaluates the student by the labels, or by the outputs of the teacher if the held-out rows have no labels. Null without held-out rows, and in a stage that trains
    /// no logits.
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

    /// <summary>The mean of KL(teacher ‖ student) at temperature 1, with the student's present weights.</summary>
    public double Divergence(StageTeacher teacher)
    {
        var positions = split.Validation ?? throw new InvalidOperationException("The divergence from a teacher needs held-out rows, and there are none. Hold rows out (ValidationFraction or ValidationData).");
        if (teacher.NeedsPassPerQuery && ReferenceEquals(split.ValidationSet, set))
            teacher.Begin(set, ModelOutputs.Logits, settings.View);
        return Scoring.Divergence(student, teacher, split.ValidationSet, positions, settings.ScoringBatchSize);
    }
}

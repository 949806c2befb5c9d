using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>Evaluates a student on the held-out rows.</summary>
internal sealed class HeldOutRows(Network student, StudentTask task, IRowSource set, DataSplit split, LoopSettings settings)
{
    // Of many rows and classes, the logits of all held-out rows would not fit into memory.
    private const long LogitBytes = 8L << 20;
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
        using var noGrad = no_grad();
        var means = new MeanResult();
        var done = 0L;
        foreach (var part in Chunks.Split(rows, task.IsMeanOverRows ? PartRows : rows.shape[0]))
        {
            using var scope = NewDisposeScope();
            means.Add(Evaluate(part, settings.HeldOutTeacherLogits?.narrow(0, done, part.shape[0])), CountingWeight(part));
            done += part.shape[0];
        }

        return means.Result;
    }

    /// <summary>Rows whose logits are in memory at a time: whole batches.</summary>
    private long PartRows => Math.Max(1, LogitBytes / ((long)sizeof(float) * task.LogitCount * settings.ScoringBatchSize)) * settings.ScoringBatchSize;

    private ValidationResult Evaluate(Tensor rows, Tensor? teacher)
    {
        var logits = Scoring.Logits(student, split.ValidationSet, rows, settings.ScoringBatchSize);
        return teacher is not null
            ? task.EvaluateAgainstTeacher(logits, teacher, split.ValidationSet.Weights?.index_select(0, rows))
            : Scoring.Evaluate(task, logits, split.ValidationSet, rows);
    }

    /// <summary>How much some rows count in a mean over rows.</summary>
    private double CountingWeight(Tensor rows)
    {
        var weights = split.ValidationSet.Weights is { } given ? given.index_select(0, rows).to(float64) : ones(rows.shape[0], float64, rows.device);
        if (settings.HeldOutTeacherLogits is null)
            weights = weights.mul(split.ValidationSet.Labels.index_select(0, rows).IsNotEqualTo(IRowSource.MissingLabel));
        return weights.sum().item<double>();
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

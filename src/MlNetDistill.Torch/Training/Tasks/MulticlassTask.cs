using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Training;

/// <summary>Multiclass classification: K logits, labels from 0 to K - 1, cross-entropy as loss, accuracy as quality.</summary>
/// <param name="classes">Number of classes K.</param>
internal sealed class MulticlassTask(int classes) : StudentTask
{
    public override int LogitCount => classes;

    public override DistillationLoss? LabelLoss => new CrossEntropyLoss();

    public override void CheckLabels(IRowSource set)
    {
        using var scope = NewDisposeScope();
        var labels = set.Labels;
        var wrong = labels.IsNotEqualTo(IRowSource.MissingLabel).logical_and(labels.Clamp(0, classes - 1).not_equal(labels)).nonzero();
        if (wrong.shape[0] == 0)
            return;
        var row = wrong[0, 0].item<long>();
        throw new InvalidOperationException(FormattableString.Invariant(
            $"Row {row} (counted from 0) has label {labels[row].item<long>()}. Labels are class indices from 0 to {classes - 1}, or {IRowSource.MissingLabel} for a row without a label."));
    }

    public override ValidationResult Evaluate(Tensor logits, Tensor labels, Tensor? weights)
    {
        using var scope = NewDisposeScope();
        var counts = labels.IsNotEqualTo(IRowSource.MissingLabel).to(float64);
        if (weights is not null)
            counts = counts.mul(weights);
        var total = counts.sum().item<double>();
        var right = logits.argmax(1).eq(labels).to(float64).mul(counts).sum().item<double>();
        var loss = functional.nll_loss(functional.log_softmax(logits, 1), labels, null, Reduction.None).to(float64).mul(counts).sum().item<double>();
        return new("accuracy", right / total, loss / total);
    }

    public override ValidationResult EvaluateAgainstTeacher(Tensor logits, Tensor teacher, Tensor? weights)
    {
        using var scope = NewDisposeScope();
        var alike = logits.argmax(1).eq(teacher.argmax(1)).to(float64);
        var losses = teacher.softmax(1).mul(logits.log_softmax(1)).sum([1]).neg().to(float64);
        return new("agreement", Mean(alike), Mean(losses));

        double Mean(Tensor rows) => weights is null ? rows.mean().item<double>() : (rows.mul(weights.to(float64)).sum().item<double>() / weights.to(float64).sum().item<double>());
    }
}

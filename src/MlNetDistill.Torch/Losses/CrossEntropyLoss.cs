using MlNetDistill.Core;
using MlNetDistill.Networks;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Losses;

/// <summary>
/// Mean over labelled rows of -log softmax(s)[y]: the hard-label term. After mixup or CutMix a row has two labels with shares, and the mean is
/// weighted by the shares.
/// </summary>
public sealed class CrossEntropyLoss : DistillationLoss
{
    /// <inheritdoc/>
    public override string Name => "crossEntropy";

    /// <inheritdoc/>
    public override ModelOutputs TeacherNeeds => ModelOutputs.None;

    /// <summary>Mean over labelled rows of -log softmax(student)[y], a scalar; 0 if no row has a label.</summary>
    /// <param name="student">The student's logits, B×K.</param>
    /// <param name="labels">B class indices, 64-bit; <see cref="Data.IRowSource.MissingLabel"/> for a row without a label.</param>
    /// <exception cref="ArgumentException">The shapes do not match, or a label is not a class.</exception>
    public static Tensor Compute(Tensor student, Tensor labels)
    {
        Guard.Rank(student, 2, "rows×classes", nameof(student));
        Guard.Labels(labels, student);
        return new CrossEntropyLoss().Evaluate(new LossInputs(NetworkOutput.FromLogits(student), null, labels, hasMissingLabels: true));
    }

    internal override double? UntrainedValue(int classes) => Math.Log(classes);

    /// <inheritdoc/>
    public override Tensor Evaluate(LossInputs inputs)
    {
        var logProbabilities = inputs.StudentLogProbabilities(1);
        if (inputs.SoftLabels is { } shares)
            return ComputeFromShares(logProbabilities, inputs.Weights is { } weights ? shares.mul(weights.unsqueeze(1)) : shares);
        // The usual case, in one native call.
        if (inputs.Weights is null && !inputs.HasMissingLabels)
            return functional.nll_loss(logProbabilities, inputs.Labels);
        return inputs.MeanOverLabelled(ComputePerRow(logProbabilities, inputs.Labels));
    }

    // Without example weights and mixed labels in closed form: (p - y) / B over the labelled rows.
    internal override LogitGradient? EvaluateWithGradient(LossInputs inputs, double weight)
    {
        if (inputs.SoftLabels is not null || inputs.Weights is not null)
            return null;
        using var noGrad = no_grad();
        var logProbabilities = inputs.Student.Logits.LogSoftmax(1);
        var (rows, classes) = (logProbabilities.shape[0], logProbabilities.shape[1]);
        if (!inputs.HasMissingLabels)
        {
            var value = functional.nll_loss(logProbabilities, inputs.Labels);
            using var scale = (weight / rows).ToScalar();
            return new(value, 1, SubtractLabels(logProbabilities.exp_(), inputs.Labels, logProbabilities.new_ones(rows, 1)).mul_(scale));
        }

        var mean = inputs.MeanOverLabelled(ComputePerRow(logProbabilities, inputs.Labels));
        var mask = inputs.LabelMask().unsqueeze(1);
        // In 64 bits as above: a batch without a missing label has the same gradient, bit for bit, whatever other batches have.
        var count = mask.sum(float64).ClampMin(1);
        using var number = weight.ToScalar();
        var share = full_like(count, number).div(count).to(logProbabilities.dtype);
        return new(mean, 1, SubtractLabels(logProbabilities.exp_().mul_(mask), inputs.Labels.Clamp(0, classes - 1), mask.clone()).mul_(share));
    }

    private static Tensor SubtractLabels(Tensor probabilities, Tensor labels, Tensor ones) => probabilities.scatter_add_(1, labels.unsqueeze(1), ones.neg_());

    private static Tensor ComputePerRow(Tensor logProbabilities, Tensor labels) => functional.nll_loss(logProbabilities, labels, null, Reduction.None);

    private static Tensor ComputeFromShares(Tensor logProbabilities, Tensor shares) =>
        shares.mul(logProbabilities).sum().neg().div(shares.sum().ClampMin(1e-12));
}

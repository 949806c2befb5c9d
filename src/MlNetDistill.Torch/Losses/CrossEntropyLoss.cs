using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Losses;

/// <summary>
/// The hard-label term: mean over labelled rows of -log softmax(s)[y]. After mixup or CutMix a row has two labels by shares, and the mean
/// is over the shares.
/// </summary>
public sealed class CrossEntropyLoss : DistillationLoss
{
    /// <inheritdoc/>
    public override string Name => "crossEntropy";

    /// <inheritdoc/>
    public override ModelOutputs TeacherNeeds => ModelOutputs.None;

    /// <summary>-log p[y] for each row.</summary>
    /// <param name="logProbabilities">log softmax(s), B×K.</param>
    /// <param name="labels">B class indices, 64-bit; <see cref="Data.IRowSource.MissingLabel"/> where a row has none.</param>
    /// <returns>B values; 0 where a label is missing.</returns>
    /// <exception cref="ArgumentException">The tensors do not fit together, or a label is no class.</exception>
    public static Tensor PerRow(Tensor logProbabilities, Tensor labels)
    {
        Guard.Rank(logProbabilities, 2, "rows×classes", nameof(logProbabilities));
        Guard.Labels(labels, logProbabilities);
        return OfRows(logProbabilities, labels);
    }

    internal override double? UntrainedValue(int classes) => Math.Log(classes);

    /// <inheritdoc/>
    public override Tensor Evaluate(LossInputs inputs)
    {
        var logProbabilities = inputs.StudentLogProbabilities(1);
        if (inputs.SoftLabels is { } shares)
            return OfShares(logProbabilities, inputs.Weights is { } weights ? shares.mul(weights.unsqueeze(1)) : shares);
        // The usual case in one native call.
        if (inputs.Weights is null && !inputs.HasMissingLabels)
            return functional.nll_loss(logProbabilities, inputs.Labels);
        return inputs.MeanOverLabelled(OfRows(logProbabilities, inputs.Labels));
    }

    private static Tensor OfRows(Tensor logProbabilities, Tensor labels) => functional.nll_loss(logProbabilities, labels, null, Reduction.None);

    private static Tensor OfShares(Tensor logProbabilities, Tensor shares) =>
        shares.mul(logProbabilities).sum().neg().div(shares.sum().ClampMin(1e-12));
}

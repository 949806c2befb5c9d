using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>
/// The additive cosine margin of CosFace (Wang et al. 2018), a training head that is thrown away: the cosine c of the true class becomes c - margin; then the
/// cross-entropy of scale · cosines. As in insightface (recognition/arcface_torch/losses.py).
/// </summary>
public sealed class CosFaceLoss : AngularMarginLoss
{
    /// <summary>The head for so many classes.</summary>
    /// <param name="classes">Number of classes K, at least 2.</param>
    /// <param name="scale">The factor of the cosines, above 0.</param>
    /// <param name="margin">What is taken from the cosine of the true class, from 0 to below 2.</param>
    public CosFaceLoss(int classes, double scale = 64, double margin = 0.35)
        : base(classes, scale, margin, 2)
    {
    }

    /// <inheritdoc/>
    public override string Name => "cosFace";

    /// <summary>The mean over labelled rows, a scalar; 0 if no row has a label.</summary>
    /// <param name="embedding">B×D.</param>
    /// <param name="directions">One row for each class, K×D.</param>
    /// <param name="labels">B class indices, 64-bit; <see cref="Data.IRowSource.MissingLabel"/> for a row without a label.</param>
    /// <param name="scale">The factor of the cosines.</param>
    /// <param name="margin">What is taken from the cosine of the true class.</param>
    /// <exception cref="ArgumentException">The shapes do not match, or a label is not a class.</exception>
    public static Tensor Compute(Tensor embedding, Tensor directions, Tensor labels, double scale = 64, double margin = 0.35)
    {
        Guard.Rank(directions, 2, "classes×values", nameof(directions));
        return new CosFaceLoss((int)directions.shape[0], scale, margin).MeanOverRows(embedding, directions, labels);
    }

    private protected override Tensor ApplyMargin(Tensor cosines) => cosines.Add(-Margin);
}

using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>
/// The additive angular margin of ArcFace (Deng et al. 2019), a training head that is thrown away: the cosine of the true class, cos θ, becomes cos(θ + margin); then
/// the cross-entropy of scale · cosines. The values are those of insightface (recognition/arcface_torch/losses.py).
/// </summary>
/// <remarks>
/// Two departures from that code. The gradient is exact: with a factor sin(θ + margin) / sin θ, where the released code computes the margin without gradient, which
/// leaves the factor 1. And where θ + margin exceeds π, the cosine is cos θ - margin · sin(margin), as older releases have it, so that a row opposite to its class is
/// not pushed further away. sin θ is at least 1e-4.
/// </remarks>
public sealed class ArcFaceLoss : AngularMarginLoss
{
    private const double LeastSquaredSine = 1e-8;

    /// <summary>The head for so many classes; scale and margin are insightface's.</summary>
    /// <param name="classes">Number of classes K, at least 2.</param>
    /// <param name="scale">The factor of the cosines, above 0.</param>
    /// <param name="margin">The angle added to that of the true class, in radians, from 0 to below π / 2.</param>
    public ArcFaceLoss(int classes, double scale = 64, double margin = 0.5)
        : base(classes, scale, margin, Math.PI / 2)
    {
    }

    /// <inheritdoc/>
    public override string Name => "arcFace";

    /// <summary>The mean over labelled rows, a scalar; 0 if no row has a label.</summary>
    /// <param name="embedding">B×D.</param>
    /// <param name="directions">One row for each class, K×D.</param>
    /// <param name="labels">B class indices, 64-bit; <see cref="Data.IRowSource.MissingLabel"/> for a row without a label.</param>
    /// <param name="scale">The factor of the cosines.</param>
    /// <param name="margin">The angle added to that of the true class, in radians.</param>
    /// <exception cref="ArgumentException">The shapes do not match, or a label is not a class.</exception>
    public static Tensor Compute(Tensor embedding, Tensor directions, Tensor labels, double scale = 64, double margin = 0.5)
    {
        Guard.Rank(directions, 2, "classes×values", nameof(directions));
        return new ArcFaceLoss((int)directions.shape[0], scale, margin).MeanOverRows(embedding, directions, labels);
    }

    private protected override Tensor ApplyMargin(Tensor cosines)
    {
        var (cosine, sine) = (Math.Cos(Margin), Math.Sin(Margin));
        var sines = ones_like(cosines).sub(cosines.mul(cosines)).ClampMin(LeastSquaredSine).sqrt();
        var rotated = cosines.MultiplyBy(cosine).sub(sines.MultiplyBy(sine));
        return where(cosines.IsAtMost(-cosine), cosines.Add(-Margin * sine), rotated);
    }
}

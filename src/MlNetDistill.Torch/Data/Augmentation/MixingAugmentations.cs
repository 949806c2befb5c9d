using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>Mixes each row with a partner; the share of the row is λ ~ Beta(α, α), drawn per row.</summary>
internal abstract record MixingAugmentation(double Alpha) : Augmentation
{
    private const double MinAlpha = 0.001;
    private const double MaxAlpha = 1000;

    public override IEnumerable<string> Validate() =>
        Faults.Unless(Alpha >= MinAlpha && Alpha <= MaxAlpha, $"{GetType().Name}'s alpha must be in [{MinAlpha}, {MaxAlpha}]; was {Alpha}.");

    internal override ViewedRows Apply(ViewedRows rows, ViewStep step)
    {
        var words = step.Draw("mixing");
        var partners = step.TrainingRows(words.High);
        var (features, share) = Mix(rows.Features, step.ApplyEarlier(partners), step.Shares!.Sample(words.Low), step);
        return new ViewedRows(features, new Mixture(partners, share));
    }

    /// <summary>The mixed rows, and the share of the original row: B 32-bit floats.</summary>
    private protected abstract (Tensor Features, Tensor Share) Mix(Tensor own, Tensor partner, Tensor share, ViewStep step);
}

/// <summary>x ← λ·x + (1 - λ)·x′ (Zhang et al. 2018).</summary>
internal sealed record Mixup(double Alpha) : MixingAugmentation(Alpha)
{
    private protected override (Tensor Features, Tensor Share) Mix(Tensor own, Tensor partner, Tensor share, ViewStep step)
    {
        share = share.to(float32);
        var factor = share.reshape([-1, .. Enumerable.Repeat(1L, step.Set.Shape.Dimensions.Length)]);
        return (own.to(float32).mul(factor).Add(partner.to(float32).mul(ones_like(factor).sub(factor))), share);
    }
}

/// <summary>Replaces a box of x, with sides √(1 - λ) times those of the image, by the same box of x′ (Yun et al. 2019).</summary>
internal sealed record CutMix(double Alpha) : MixingAugmentation(Alpha)
{
    public override string? ValidateShape(InputShape shape) => NeedsImages(nameof(CutMix), shape);

    private protected override (Tensor Features, Tensor Share) Mix(Tensor own, Tensor partner, Tensor share, ViewStep step)
    {
        var (height, width) = (step.Set.Shape.Height, step.Set.Shape.Width);
        var side = ones_like(share).sub(share).sqrt();
        var centre = step.Draw("centre");
        var (top, bottom) = Edges(centre.High, height);
        var (left, right) = Edges(centre.Low, width);
        var inside = IsInside(top, bottom, height).unsqueeze(2).logical_and(IsInside(left, right, width).unsqueeze(1)).unsqueeze(1);
        // Clipping made some boxes smaller, so the share is computed from the clipped box.
        var area = bottom.sub(top).mul(right.sub(left)).to(float64).DivideBy(height * width);
        return (where(inside, partner, own), ones_like(area).sub(area).to(float32));

        // From (included) and to (excluded), half a side away from the center as in the authors' code, clipped at the image's edges.
        (Tensor From, Tensor To) Edges(Tensor words, int length)
        {
            var middle = step.Draws.ToIntegers(words, length);
            var half = side.MultiplyBy(length / 2.0).to(int64);
            return (middle.sub(half).Clamp(0, length), middle.Add(half).Clamp(0, length));
        }
    }

    /// <summary>B×length: whether each line is inside.</summary>
    private static Tensor IsInside(Tensor from, Tensor to, int length)
    {
        var lines = TensorArithmetic.Range(length, from.device).unsqueeze(0);
        return lines.ge(from.unsqueeze(1)).logical_and(lines.lt(to.unsqueeze(1)));
    }
}

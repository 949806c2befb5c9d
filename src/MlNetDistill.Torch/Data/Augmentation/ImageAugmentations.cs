using MlNetDistill.Core;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Data;

internal sealed record RandomCrop(int Padding) : Augmentation
{
    public override IEnumerable<string> Validate() => Faults.AtLeast(1, "RandomCrop's padding", Padding);

    public override string? ValidateShape(InputShape shape) =>
        NeedsImages(nameof(RandomCrop), shape)
        ?? (Padding < Math.Min(shape.Height, shape.Width) ? null : $"RandomCrop's padding of {Padding} must be smaller than the image ({shape}).");

    internal override ViewedRows Apply(ViewedRows rows, ViewStep step)
    {
        var shape = step.Set.Shape;
        var count = rows.Features.shape[0];
        var offsets = step.Draw("offset");
        var down = SourceLines(offsets.High, shape.Height).reshape(count, 1, shape.Height, 1);
        var right = SourceLines(offsets.Low, shape.Width).reshape(count, 1, 1, shape.Width);
        var padded = functional.pad(rows.Features, [Padding, Padding, Padding, Padding]);
        var cropped = padded
            .gather(2, down.expand(count, shape.Channels, shape.Height, shape.Width + (2 * Padding)))
            .gather(3, right.expand(count, shape.Channels, shape.Height, shape.Width));
        return rows with { Features = cropped };

        // The line of the padded image that becomes each line of the crop, B×length.
        Tensor SourceLines(Tensor words, int length) =>
            step.Draws.ToIntegers(words, (2 * Padding) + 1).unsqueeze(1).Add(TensorArithmetic.Range(length, words.device).unsqueeze(0));
    }
}

internal sealed record HorizontalFlip(double Probability) : Augmentation
{
    public override IEnumerable<string> Validate() => Faults.Share("HorizontalFlip's probability", Probability);

    public override string? ValidateShape(InputShape shape) => NeedsImages(nameof(HorizontalFlip), shape);

    internal override ViewedRows Apply(ViewedRows rows, ViewStep step)
    {
        var flips = AugmentationDraws.ToBooleans(step.Draw("flip").High, Probability).reshape(-1, 1, 1, 1);
        return rows with { Features = where(flips, rows.Features.flip(3), rows.Features) };
    }
}

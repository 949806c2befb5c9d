using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

internal sealed record GaussianNoise(double Deviation) : Augmentation
{
    public override IEnumerable<string> Validate() => Faults.Above0("GaussianNoise's deviation", Deviation);

    internal override ViewedRows Apply(ViewedRows rows, ViewStep step)
    {
        using var scope = NewDisposeScope();
        var noise = AugmentationDraws.ToNormal(step.DrawElements("noise", step.Set.Shape.Length)).MultiplyBy(Deviation).to(float32);
        return rows with { Features = rows.Features.to(float32).Add(noise.reshape(rows.Features.shape)).MoveToOuterDisposeScope() };
    }
}

internal sealed record MarginalSwap(double Probability) : Augmentation
{
    public override IEnumerable<string> Validate() => Faults.Share("MarginalSwap's probability", Probability);

    internal override ViewedRows Apply(ViewedRows rows, ViewStep step)
    {
        using var scope = NewDisposeScope();
        var words = step.DrawElements("swap", step.Set.Shape.Length);
        // Each element is taken from a different row; gathering elements, not whole rows, keeps the memory at rows × elements.
        var others = step.Set.GatherElements(step.TrainingRows(words.High), rows.Features.device).reshape(rows.Features.shape);
        var isSwapped = AugmentationDraws.ToBooleans(words.Low, Probability).reshape(rows.Features.shape);
        var swapped = where(isSwapped, others.to(rows.Features.dtype), rows.Features);
        return rows with { Features = swapped.MoveToOuterDisposeScope() };
    }
}

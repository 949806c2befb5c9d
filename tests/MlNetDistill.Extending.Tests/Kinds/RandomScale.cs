using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Extending.Tests.Kinds;

/// <summary>Multiplies each row by a number of its own, from 1 - strength to 1.</summary>
internal sealed record RandomScale(double Strength) : FeatureAugmentation
{
    protected override Tensor Apply(Tensor features, RowDraws draws) =>
        features.mul(draws.Uniform("scale").MultiplyBy(-Strength).Add(1).reshape(-1, 1));
}

/// <summary>Leaves out a column, which an augmentation must not.</summary>
internal sealed record NarrowRows : FeatureAugmentation
{
    protected override Tensor Apply(Tensor features, RowDraws draws) => features.narrow(1, 0, 1);
}

using MlNetDistill.Networks;

namespace MlNetDistill;

/// <summary>The networks a student (or a teacher trained on the spot) can be.</summary>
public static class Student
{
    /// <summary>A perceptron with hidden layers of the given widths; none gives a linear model.</summary>
    public static NetworkSpec Mlp(params int[] hidden) => new MlpSpec([.. hidden]);

    /// <summary>
    /// A CIFAR-style residual network of depth 6n+2 (He et al. 2016). <paramref name="widths"/> are the channels of the stem and the three
    /// stages, or of the three stages alone (the stem is then as wide as the first); 16, 16, 32, 64 where none are given.
    /// </summary>
    /// <param name="depth">8, 14, 20, 32, 44, 56, 110…</param>
    /// <param name="image">The image shape; null to take it from the feature column's dimensions or from the options.</param>
    /// <param name="widths">Three or four widths.</param>
    public static NetworkSpec ResNet(int depth, InputShape? image = null, params int[] widths) => new ResNetSpec(depth, widths.Length switch
    {
        0 => [16, 16, 32, 64],
        3 => [widths[0], .. widths],
        _ => [.. widths],
    })
    {
        ImageShape = image,
    };
}

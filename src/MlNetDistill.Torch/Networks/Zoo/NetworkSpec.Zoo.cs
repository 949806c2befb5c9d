using MlNetDistill.Core;

namespace MlNetDistill.Networks;

// Those over images halve their maps as published for 32×32 pixels; small images (from 8×8) skip the last halvings.
public abstract partial record NetworkSpec
{
    /// <summary>A perceptron with hidden layers of the given widths; none gives a linear model.</summary>
    public static NetworkSpec Mlp(params int[] hidden)
    {
        ArgumentNullException.ThrowIfNull(hidden);
        return new MlpSpec([.. hidden]);
    }

    /// <summary>
    /// A CIFAR-style residual network of depth 6n+2 (He et al. 2016). <paramref name="widths"/> are the channels of the stem and the three
    /// stages, or of the three stages alone (the stem is then as wide as the first); 16, 16, 32, 64 where none are given. The image shape is taken from the
    /// feature column's dimensions or from the options.
    /// </summary>
    /// <param name="depth">8, 14, 20, 32, 44, 56, 110…</param>
    /// <param name="widths">Three or four widths.</param>
    public static NetworkSpec ResNet(int depth, params int[] widths)
    {
        ArgumentNullException.ThrowIfNull(widths);
        return new ResNetSpec(depth, widths.Length switch
        {
            0 => [16, 16, 32, 64],
            3 => [widths[0], .. widths],
            _ => [.. widths],
        });
    }

    /// <summary>The same residual network over images of a shape that is given here.</summary>
    /// <param name="depth">8, 14, 20, 32, 44, 56, 110…</param>
    /// <param name="image">The image shape.</param>
    /// <param name="widths">Three or four widths; 16, 16, 32, 64 where none are given.</param>
    public static NetworkSpec ResNet(int depth, InputShape image, params int[] widths) =>
        (ResNetSpec)ResNet(depth, widths) with { ImageShape = image };

    /// <summary>A wide residual network WRN-<paramref name="depth"/>-<paramref name="widen"/> (Zagoruyko and Komodakis 2016).</summary>
    /// <param name="depth">6n+4: 10, 16, 22, 28, 40…</param>
    /// <param name="widen">Factor on the widths 16, 32, 64 of the three stages.</param>
    /// <param name="image">The image shape; null to take it from the feature column's dimensions or from the options.</param>
    public static NetworkSpec WideResNet(int depth, int widen, InputShape? image = null) => new WideResNetSpec(depth, widen) { ImageShape = image };

    /// <summary>
    /// A VGG network with batch normalization (Simonyan and Zisserman 2015) in its CIFAR form. The image shape is taken from the feature column's dimensions
    /// or from the options.
    /// </summary>
    /// <param name="depth">8, 11, 13, 16 or 19.</param>
    /// <param name="widths">Channels of the five stages; 64, 128, 256, 512, 512 where none are given.</param>
    public static NetworkSpec Vgg(int depth, params int[] widths)
    {
        ArgumentNullException.ThrowIfNull(widths);
        return new VggSpec(depth, widths.Length == 0 ? [64, 128, 256, 512, 512] : [.. widths]);
    }

    /// <summary>The same VGG network over images of a shape that is given here.</summary>
    /// <param name="depth">8, 11, 13, 16 or 19.</param>
    /// <param name="image">The image shape.</param>
    /// <param name="widths">Channels of the five stages; 64, 128, 256, 512, 512 where none are given.</param>
    public static NetworkSpec Vgg(int depth, InputShape image, params int[] widths) => (VggSpec)Vgg(depth, widths) with { ImageShape = image };

    /// <summary>MobileNetV2 (Sandler et al. 2018) in its CIFAR form.</summary>
    /// <param name="width">Factor on the number of channels, 1/16 to 16.</param>
    /// <param name="image">The image shape; null to take it from the feature column's dimensions or from the options.</param>
    public static NetworkSpec MobileNetV2(double width = 0.5, InputShape? image = null) => new MobileNetV2Spec(width) { ImageShape = image };

    /// <summary>ShuffleNet with three groups (Zhang et al. 2018) in its CIFAR form.</summary>
    /// <param name="image">The image shape; null to take it from the feature column's dimensions or from the options.</param>
    public static NetworkSpec ShuffleNetV1(InputShape? image = null) => new ShuffleNetV1Spec { ImageShape = image };

    /// <summary>ShuffleNetV2 (Ma et al. 2018) in its CIFAR form.</summary>
    /// <param name="size">0.5, 1, 1.5 or 2.</param>
    /// <param name="image">The image shape; null to take it from the feature column's dimensions or from the options.</param>
    public static NetworkSpec ShuffleNetV2(double size = 1, InputShape? image = null) => new ShuffleNetV2Spec(size) { ImageShape = image };

    /// <summary>
    /// A network whose embedding is projected to another length before the last layer: the student of SimKD, with the length of its teacher's embedding; see
    /// <see cref="ProjectedSpec"/>.
    /// </summary>
    /// <param name="network">The network; its last layer is replaced.</param>
    /// <param name="embeddingLength">Length of the projected embedding, at least 1.</param>
    /// <param name="reduction">How many times fewer channels the 3×3 convolution of a map's projection has, at least 1.</param>
    public static NetworkSpec Projected(NetworkSpec network, int embeddingLength, int reduction = 2)
    {
        ArgumentNullException.ThrowIfNull(network);
        return new ProjectedSpec(network, embeddingLength, reduction);
    }
}

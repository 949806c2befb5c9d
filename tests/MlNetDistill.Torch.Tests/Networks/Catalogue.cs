using MlNetDistill.Networks;

namespace MlNetDistill.Tests;

/// <summary>The networks for images, for tests that all of them must pass.</summary>
internal static class Catalogue
{
    /// <summary>One of each kind, as small as it gets.</summary>
    public static readonly NetworkSpec[] Small =
    [
        NetworkSpec.ResNet(8, 4, 8, 16),
        NetworkSpec.WideResNet(10, 1),
        NetworkSpec.Vgg(8, 4, 6, 8, 10, 12),
        NetworkSpec.MobileNetV2(0.125),
        NetworkSpec.ShuffleNetV1(),
        NetworkSpec.ShuffleNetV2(0.5),
    ];

    /// <summary>The networks of the literature, without those that differ from another one in depth alone.</summary>
    public static readonly NetworkSpec[] Published =
    [
        NetworkSpec.ResNet(20),
        NetworkSpec.ResNet(8, 32, 64, 128, 256),
        NetworkSpec.WideResNet(16, 1),
        NetworkSpec.WideResNet(16, 2),
        NetworkSpec.WideResNet(40, 1),
        NetworkSpec.WideResNet(40, 2),
        NetworkSpec.Vgg(8),
        NetworkSpec.Vgg(11),
        NetworkSpec.Vgg(13),
        NetworkSpec.Vgg(16),
        NetworkSpec.Vgg(19),
        NetworkSpec.MobileNetV2(),
        NetworkSpec.ShuffleNetV1(),
        NetworkSpec.ShuffleNetV2(),
        NetworkSpec.ShuffleNetV2(1.5),
        NetworkSpec.ShuffleNetV2(2),
    ];
}

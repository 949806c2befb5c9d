using MlNetDistill.Networks;


namespace MlNetDistill.Tests;

/// <summary>The networks for images, for tests that all of them must pass.</summary>
internal static class Catalogue
{
    /// <summary>One of each kind, as small as it gets.</summary>
    public static readonly NetworkSpec[] Small =
    [
        Student.ResNet(8, 4, 8, 16),
        Student.WideResNet(10, 1),
        Student.Vgg(8, 4, 6, 8, 10, 12),
        Student.MobileNetV2(0.125),
        Student.ShuffleNetV1(),
        Student.ShuffleNetV2(0.5),
    ];

    /// <summary>The networks of the literature, without those that differ from another one in depth alone.</summary>
    public static readonly NetworkSpec[] Published =
    [
        Student.ResNet(20),
        Student.ResNet(8, 32, 64, 128, 256),
        Student.WideResNet(16, 1),
        Student.WideResNet(16, 2),
        Student.WideResNet(40, 1),
        Student.WideResNet(40, 2),
        Student.Vgg(8),
        Student.Vgg(11),
        Student.Vgg(13),
        Student.Vgg(16),
        Student.Vgg(19),
        Student.MobileNetV2(),
        Student.ShuffleNetV1(),
        Student.ShuffleNetV2(),
        Student.ShuffleNetV2(1.5),
        Student.ShuffleNetV2(2),
    ];
}

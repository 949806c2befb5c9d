using MlNetDistill.Networks;
using static MlNetDistill.Tests.PinnedStudents.PinnedCase;

namespace MlNetDistill.Tests.PinnedStudents;

/// <summary>Every family of networks, trained on labels.</summary>
internal static class PinnedNetworks
{
    private static readonly (string Name, NetworkSpec Network)[] OverPictures =
    [
        ("ResNet", Student.ResNet(8, 2, 4, 6)),
        ("ResNet with a stem of its own", Student.ResNet(14, 3, 2, 4, 6)),
        ("wide ResNet", Student.WideResNet(10, 1)),
        ("VGG-8", Student.Vgg(8, 2, 3, 4, 5, 6)),
        ("VGG-11", Student.Vgg(11, 2, 3, 4, 5, 6)),
        ("MobileNetV2", Student.MobileNetV2(0.125)),
        ("ShuffleNetV1", Student.ShuffleNetV1()),
        ("ShuffleNetV2", Student.ShuffleNetV2(0.5)),
        ("perceptron over bytes", Student.Mlp(5)),
    ];

    private static readonly (string Name, NetworkSpec Network)[] OverPoints =
    [
        ("perceptron", Student.Mlp(7, 5)),
        ("linear model", Student.Mlp()),
        ("perceptron of features as they are", Student.Mlp(5) with { InputScaling = InputScaling.None }),
    ];

    public static IReadOnlyList<PinnedCase> Cases { get; } =
    [
        .. OverPoints.Select(n => new PinnedCase($"network: {n.Name}", OfPoints with { Student = n.Network, Method = DistillationMethod.LabelsOnly() })),
        .. OverPictures.Select(n => Pictures($"network: {n.Name}", OfPictures with { Student = n.Network, Method = DistillationMethod.LabelsOnly() })),
    ];
}

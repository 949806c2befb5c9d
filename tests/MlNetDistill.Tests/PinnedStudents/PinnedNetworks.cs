using MlNetDistill.Methods;
using MlNetDistill.Networks;
using static MlNetDistill.Tests.PinnedStudents.PinnedCase;

namespace MlNetDistill.Tests.PinnedStudents;

/// <summary>Every family of networks, trained on labels.</summary>
internal static class PinnedNetworks
{
    private static readonly (string Name, NetworkSpec Network)[] OverPictures =
    [
        ("ResNet", NetworkSpec.ResNet(8, 2, 4, 6)),
        ("ResNet with a stem of its own", NetworkSpec.ResNet(14, 3, 2, 4, 6)),
        ("wide ResNet", NetworkSpec.WideResNet(10, 1)),
        ("VGG-8", NetworkSpec.Vgg(8, 2, 3, 4, 5, 6)),
        ("VGG-11", NetworkSpec.Vgg(11, 2, 3, 4, 5, 6)),
        ("MobileNetV2", NetworkSpec.MobileNetV2(0.125)),
        ("ShuffleNetV1", NetworkSpec.ShuffleNetV1()),
        ("ShuffleNetV2", NetworkSpec.ShuffleNetV2(0.5)),
        ("perceptron over bytes", NetworkSpec.Mlp(5)),
    ];

    private static readonly (string Name, NetworkSpec Network)[] OverPoints =
    [
        ("perceptron", NetworkSpec.Mlp(7, 5)),
        ("linear model", NetworkSpec.Mlp()),
        ("perceptron of features as they are", NetworkSpec.Mlp(5) with { InputScaling = InputScaling.None }),
    ];

    // Plain gradient descent: the first steps of AdamW go by the signs of gradients, which rounding turns over where they are near 0.
    private static readonly DistillationOptions Gentle = OfPictures with
    {
        Method = DistillationMethod.LabelsOnly(),
        Optimizer = Optimizer.Sgd(0.001, momentum: 0, nesterov: false),
        Schedule = LearningRateSchedule.Constant(),
    };

    public static IReadOnlyList<PinnedCase> Cases { get; } =
    [
        .. OverPoints.Select(n => new PinnedCase($"network: {n.Name}", OfPoints with { Student = n.Network, Method = DistillationMethod.LabelsOnly() })),
        .. OverPictures.Select(n => Pictures($"network: {n.Name}", Gentle with { Student = n.Network })),
    ];
}

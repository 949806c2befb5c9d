using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.DeviceCheck;

/// <summary>Every method, perceptron and images, with a route that is trained on the spot.</summary>
internal static class MethodChecks
{
    private static readonly (string Name, DistillationMethod Method)[] Methods =
    [
        ("labels only", DistillationMethod.LabelsOnly()),
        .. EveryMethod.All,
        ("RCO greedy", DistillationMethod.Rco(anchors: AnchorSelection.Greedy(1.2))),
        ("SSKD unfrozen", DistillationMethod.Sskd(trainBackboneWithHead: true)),
        ("attention transfer", DistillationMethod.FromLoss("attention transfer", new CrossEntropyLoss() + (0.1 * new AttentionTransferLoss((0, 0))))),
        ("DKD", DistillationMethod.FromLoss("DKD", new CrossEntropyLoss() + new DkdLoss(4).WithWarmup(5))),
        ("RKD", DistillationMethod.FromLoss("RKD", new CrossEntropyLoss() + (0.05 * new RkdLoss()))),
    ];

    public static IEnumerable<Check> OfPoints(Settings settings) =>
        Methods.Where(m => m.Name != "attention transfer").Select(m => new Check($"method: {m.Name}", () => Points(settings, m.Method)));

    public static IEnumerable<Check> OfImages(Settings settings) => Methods.Select(m => new Check($"images: {m.Name}", () => Images(settings, m.Method)));

    private static string Points(Settings settings, DistillationMethod method) => Pair.Compare(
        settings,
        Pair.Quick with
        {
            Teacher = Route.Train(NetworkSpec.Mlp(16), every: 4, epochs: 8),
            Student = EveryMethod.StudentFor(method, Pair.Quick.Student, 16),
            Method = method,
            Epochs = 16,
            ValidationFraction = Held(method),
        },
        context => context.Points());

    private static string Images(Settings settings, DistillationMethod method) => Pair.Compare(
        settings,
        Pair.Quick with
        {
            Teacher = Route.Train(NetworkSpec.ResNet(8, 4, 6, 8), every: 2, epochs: 4),
            Student = EveryMethod.StudentFor(method, NetworkSpec.ResNet(8, 2, 4, 6), 8),
            Method = method,
            Epochs = 12,
            BatchSize = 16,
            ValidationFraction = Held(method),
        },
        context => context.Pictures());

    // A route chosen by how far it is from the student is measured on rows held out.
    private static double Held(DistillationMethod method) => $"{method}".Contains("Greedy", StringComparison.OrdinalIgnoreCase) ? 0.2 : 0;
}

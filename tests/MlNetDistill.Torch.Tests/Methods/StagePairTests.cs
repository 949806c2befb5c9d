using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill.Tests;

public sealed class StagePairTests
{
    [Test]
    public void Taps_of_one_resolution_are_one_stage()
    {
        OutputShapes resNet = new(10, 64, [[16, 32, 32], [16, 32, 32], [32, 16, 16], [64, 8, 8]]);
        OutputShapes vgg = new(10, 512, [[64, 32, 32], [128, 16, 16], [256, 8, 8], [512, 4, 4], [512, 4, 4]]);
        Assert.That(StagePair.ByResolution(resNet, resNet), Is.EqualTo(new[] { new StagePair(1, 1), new StagePair(2, 2), new StagePair(3, 3) }));
        Assert.That(StagePair.ByResolution(resNet, vgg), Is.EqualTo(new[] { new StagePair(1, 1), new StagePair(2, 2), new StagePair(3, 4) }));
    }

    // Every hidden layer of a perceptron is a stage; the last always learns the last.
    [TestCase(1, 2, "0←1")]
    [TestCase(2, 1, "0←0, 1←0")]
    [TestCase(2, 3, "0←1, 1←2")]
    [TestCase(3, 3, "0←0, 1←1, 2←2")]
    public void Stages_are_spread_over_the_teachers_last_to_last(int student, int teacher, string expected) =>
        Assert.That(string.Join(", ", StagePair.ByResolution(Mlp(student), Mlp(teacher))), Is.EqualTo(expected));

    [Test]
    public void A_network_without_stage_features_is_refused() => Assert.That(
        () => StagePair.ByResolution(Mlp(0), Mlp(2)),
        Throws.InvalidOperationException.With.Message.EqualTo("Stage-by-stage distillation needs stage features, and the student has none."));

    private static OutputShapes Mlp(int layers) => new(3, 8, [.. Enumerable.Range(0, layers).Select(_ => new long[] { 8 })]);
}

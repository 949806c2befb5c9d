using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>What the networks for images make of images of other sizes than the 32×32×3 of the reference code.</summary>
public sealed class ImageNetworkTests
{
    private const ModelOutputs Everything = ModelOutputs.Logits | ModelOutputs.Embedding | ModelOutputs.StageFeatures;
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    public static IEnumerable<TestCaseData> Sides()
    {
        TestCaseData Case(NetworkSpec spec, int side, params long[] taps) => new TestCaseData(spec, side, taps).SetArgDisplayNames(spec.Name, $"{side}");
        var resNet = NetworkSpec.ResNet(8, 4, 8, 16);
        var wide = NetworkSpec.WideResNet(10, 1);
        var vgg = NetworkSpec.Vgg(8, 4, 6, 8, 10, 12);
        var mobile = NetworkSpec.MobileNetV2(0.125);
        NetworkSpec[] shuffles = [NetworkSpec.ShuffleNetV1(), NetworkSpec.ShuffleNetV2(0.5)];
        foreach (var spec in new[] { resNet, wide })
        {
            yield return Case(spec, 8, 8, 8, 4, 2);
            yield return Case(spec, 28, 28, 28, 14, 7);
            yield return Case(spec, 33, 33, 33, 17, 9);
        }

        yield return Case(vgg, 8, 8, 4, 2, 2, 2);
        yield return Case(vgg, 16, 16, 8, 4, 2, 2);
        yield return Case(vgg, 28, 28, 14, 7, 3, 3);
        yield return Case(vgg, 63, 63, 31, 15, 7, 7);
        yield return Case(vgg, 64, 64, 32, 16, 8, 4);
        yield return Case(mobile, 8, 4, 4, 2, 2, 2);
        yield return Case(mobile, 16, 8, 8, 4, 2, 2);
        yield return Case(mobile, 28, 14, 14, 7, 4, 2);
        yield return Case(mobile, 64, 32, 32, 16, 8, 4);
        foreach (var spec in shuffles)
        {
            yield return Case(spec, 8, 8, 4, 2, 2);
            yield return Case(spec, 16, 16, 8, 4, 2);
            yield return Case(spec, 28, 28, 14, 7, 4);
        }
    }

    [TestCaseSource(nameof(Sides))]
    public void Maps_are_halved_as_published_while_a_side_has_at_least_four_pixels(NetworkSpec spec, int side, long[] taps)
    {
        using var network = spec.Build(new NetworkInput(InputShape.Image(1, side, side)), 3, seed: 1);
        var output = network.Forward(rand(2, 1, side, side), Everything);
        Assert.That(output.StageFeatures.Select(f => f.shape[2]), Is.EqualTo(taps));
        Assert.That(output.StageFeatures.Select(f => f.shape[3]), Is.EqualTo(taps));
        Assert.That(output.StageFeatures.All(f => f.is_contiguous()), "losses and caches read maps in the usual order");
        Assert.That(output.Embedding!.shape, Is.EqualTo(new long[] { 2, network.EmbeddingLength }));
        Assert.That(output.Logits.shape, Is.EqualTo(new long[] { 2, 3 }));
    }

    [TestCaseSource(typeof(Catalogue), nameof(Catalogue.Small))]
    public void The_shorter_side_decides_and_no_map_gets_thinner_than_two_pixels(NetworkSpec spec)
    {
        foreach (var (height, width) in new[] { (8, 40), (40, 8), (9, 17), (11, 30) })
        {
            using var network = spec.Build(new NetworkInput(InputShape.Image(3, height, width)), 3, seed: 1);
            var output = network.Forward(rand(2, 3, height, width), Everything);
            Assert.That(output.StageFeatures.Select(f => Math.Min(f.shape[2], f.shape[3])), Is.All.GreaterThanOrEqualTo(2), $"{height}×{width}");
            Assert.That(Near.Values(output.Logits), Has.All.Matches<double>(double.IsFinite));
        }
    }

    [TestCaseSource(typeof(Catalogue), nameof(Catalogue.Small))]
    public void Smaller_images_than_eight_by_eight_are_refused(NetworkSpec spec)
    {
        Network Build(int channels, int height, int width) => spec.Build(new NetworkInput(InputShape.Image(channels, height, width)), 2, seed: 1);
        Assert.That(() => Build(1, 7, 8), Throws.ArgumentException.With.Message.EndsWith(" reads images of at least 8×8 pixels; these are 1×7×8."));
        Assert.That(() => Build(3, 8, 7), Throws.ArgumentException.With.Message.EndsWith(" reads images of at least 8×8 pixels; these are 3×8×7."));
        Assert.That(() => Build(2, 8, 8), Throws.ArgumentException.With.Message.EndsWith(" reads images of 1 or 3 channels; these have 2 (2×8×8)."));
    }

    [TestCaseSource(typeof(Catalogue), nameof(Catalogue.Small))]
    public void Every_parameter_takes_part_in_training(NetworkSpec spec)
    {
        using var network = spec.Build(new NetworkInput(InputShape.Image(1, 12, 12)), 3, seed: 1);
        network.train();
        nn.functional.cross_entropy(network.forward(rand(6, 1, 12, 12)).Logits, tensor(new long[] { 0, 1, 2, 0, 1, 2 })).backward();
        Assert.That(network.named_parameters().Where(p => p.parameter.grad is null).Select(p => p.name), Is.Empty);
    }

    [TestCaseSource(typeof(Catalogue), nameof(Catalogue.Small))]
    public void A_forward_pass_leaves_its_outputs_alive_and_nothing_else(NetworkSpec spec)
    {
        using var network = spec.Build(new NetworkInput(InputShape.Image(1, 12, 12)), 3, seed: 1);
        using var noGrad = no_grad();
        network.eval();
        var images = rand(2, 1, 12, 12);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = Tensor.TotalCount;
        var output = network.Forward(images, Everything);
        Assert.That(Tensor.TotalCount - before, Is.EqualTo(output.StageFeatures.Count + 2));
    }
}

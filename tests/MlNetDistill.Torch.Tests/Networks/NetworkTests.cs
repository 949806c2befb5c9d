using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class NetworkTests
{
    private const ModelOutputs Everything = ModelOutputs.Logits | ModelOutputs.Embedding | ModelOutputs.StageFeatures;
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    // Inputs × outputs weights and outputs biases for each layer.
    [TestCase(new int[0], (16 * 26) + 26)]
    [TestCase(new[] { 128 }, (16 * 128) + 128 + (128 * 26) + 26)]
    [TestCase(new[] { 64, 32 }, (16 * 64) + 64 + (64 * 32) + 32 + (32 * 26) + 26)]
    public void An_MLP_has_a_weight_for_every_pair_of_units_and_a_bias_for_every_unit(int[] hidden, int expected)
    {
        using var network = NetworkSpec.Mlp(hidden).Build(new NetworkInput(InputShape.Vector(16)), 26, seed: 1);
        Assert.That(network.ParameterCount, Is.EqualTo(expected));
    }

    [Test]
    public void An_MLP_taps_its_hidden_layers_and_embeds_in_the_last()
    {
        using var network = NetworkSpec.Mlp(7, 5).Build(new NetworkInput(InputShape.Vector(3)), 4, seed: 1);
        var output = network.Forward(rand(2, 3), Everything);
        Assert.That(output.StageFeatures.Select(f => f.shape), Is.EqualTo(new[] { new long[] { 2, 7 }, [2, 5] }));
        Assert.That(Near.Values(output.Embedding), Is.EqualTo(Near.Values(output.StageFeatures[1])));
        Assert.That(output.Logits.shape, Is.EqualTo(new long[] { 2, 4 }));
    }

    [Test]
    public void An_MLP_computes_what_its_weights_say()
    {
        using var network = NetworkSpec.Mlp(6).Build(new NetworkInput(InputShape.Vector(3)), 4, seed: 1);
        var p = network.parameters().ToArray();
        var x = LossProbe.Logits(5, 3, 1, type: ScalarType.Float32);
        var expected = x.mm(p[0].t()).add(p[1]).clamp_min(0).mm(p[2].t()).add(p[3]);
        Near.Array(Near.Values(network.forward(x).Logits), Near.Values(expected), 1e-6, 0, "logits");
    }

    [Test]
    public void Only_what_is_asked_for_is_given()
    {
        using var network = NetworkSpec.Mlp(7, 5).Build(new NetworkInput(InputShape.Vector(3)), 4, seed: 1);
        var output = network.forward(rand(2, 3));
        Assert.That(output.Available, Is.EqualTo(ModelOutputs.Logits));
        Assert.That(() => output.Embedding, Throws.InvalidOperationException.With.Message.StartsWith("No Embedding was computed in this step."));
        Assert.That(() => output.StageFeatures, Throws.InvalidOperationException.With.Message.Contains("must include it in StudentNeeds"));
        Assert.That(network.Forward(rand(2, 3), ModelOutputs.Embedding).Available, Is.EqualTo(ModelOutputs.Embedding));
    }

    [TestCase(1, 8, 8)]
    [TestCase(3, 8, 8)]
    [TestCase(1, 28, 28)]
    [TestCase(3, 9, 17)]
    public void A_ResNet_reads_images_of_any_size_and_halves_them_twice(int channels, int height, int width)
    {
        using var network = NetworkSpec.ResNet(8, 4, 8, 16).Build(new NetworkInput(InputShape.Image(channels, height, width)), 3, seed: 1);
        var output = network.Forward(rand(2, channels, height, width), Everything);
        var (half, halfWidth) = ((height + 1) / 2, (width + 1) / 2);
        Assert.That(output.StageFeatures.Select(f => f.shape), Is.EqualTo(new[]
        {
            new long[] { 2, 4, height, width }, [2, 4, height, width], [2, 8, half, halfWidth], [2, 16, (half + 1) / 2, (halfWidth + 1) / 2],
        }));
        Assert.That(output.Logits.shape, Is.EqualTo(new long[] { 2, 3 }));
    }

    [Test]
    public void The_embedding_of_a_ResNet_is_the_mean_of_its_last_map_and_the_logits_are_linear_in_it()
    {
        using var network = NetworkSpec.ResNet(8, 4, 8, 16).Build(new NetworkInput(InputShape.Image(1, 8, 8)), 3, seed: 1);
        network.eval();
        var output = network.Forward(rand(2, 1, 8, 8), Everything);
        Near.Array(Near.Values(output.Embedding), Near.Values(output.StageFeatures[^1].mean([2, 3])), 1e-6, 0, "embedding");
        var logits = output.Embedding.mm(network.Head.Weight.t()).add(network.Head.Bias);
        Near.Array(Near.Values(output.Logits), Near.Values(logits), 1e-6, 0, "logits");
    }

    [Test]
    public void A_forward_pass_leaves_its_input_alone()
    {
        using var network = NetworkSpec.Mlp(4).Build(new NetworkInput(InputShape.Vector(3)), 2, seed: 1);
        var x = rand(2, 3);
        var before = Near.Values(x);
        var first = Near.Values(network.forward(x).Logits);
        Assert.That(Near.Values(x), Is.EqualTo(before));
        Assert.That(Near.Values(network.forward(x).Logits), Is.EqualTo(first));
    }

    [Test]
    public void Bytes_are_scaled_inside_the_network()
    {
        var shape = InputShape.Image(3, 8, 8);
        var statistics = new InputStatistics([100, 120, 140], [50, 60, 70]);
        using var bytes = NetworkSpec.ResNet(8, 4, 8, 16).Build(new NetworkInput(shape, IsByte: true, statistics), 3, seed: 1);
        using var floats = NetworkSpec.ResNet(8, 4, 8, 16).Build(new NetworkInput(shape), 3, seed: 1);
        bytes.eval();
        floats.eval();
        var pixels = randint(0, 256, [2, 3, 8, 8], ScalarType.Byte);
        var mean = tensor(new[] { 100f, 120, 140 }).reshape(1, 3, 1, 1);
        var deviation = tensor(new[] { 50f, 60, 70 }).reshape(1, 3, 1, 1);
        var expected = floats.forward(pixels.to(float32).sub(mean).div(deviation)).Logits;
        Near.Array(Near.Values(bytes.forward(pixels).Logits), Near.Values(expected), 1e-5, 0, "logits");
    }

    [Test]
    public void Scaling_of_the_wrong_length_is_refused() => Assert.That(
        () => NetworkSpec.Mlp().Build(new NetworkInput(InputShape.Vector(4), false, new InputStatistics([1, 2], [1, 2])), 2, seed: 1),
        Throws.ArgumentException.With.Message.EqualTo("The input scaling has 2 values; for an input of vector of 4 it must have 1 or 4."));
}

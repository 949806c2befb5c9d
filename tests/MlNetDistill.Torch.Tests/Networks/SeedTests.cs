using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class SeedTests
{
    private static readonly NetworkSpec[] Specs = [NetworkSpec.Mlp(8), .. Catalogue.Small];

    [TestCaseSource(nameof(Specs))]
    public void The_same_seed_gives_the_same_weights_whatever_the_application_drew(NetworkSpec spec)
    {
        manual_seed(1);
        var first = Weights(spec, seed: 7);
        manual_seed(2);
        Assert.That(Weights(spec, seed: 7), Is.EqualTo(first));
    }

    [TestCaseSource(nameof(Specs))]
    public void Neighbouring_seeds_give_unrelated_weights(NetworkSpec spec)
    {
        var (a, b) = (Weights(spec, seed: 7), Weights(spec, seed: 8));
        // Batch normalisation starts at 1 and 0 whatever the seed; drawn weights all differ.
        var drawn = a.Zip(b).Where(p => p.First is not (0 or 1)).ToArray();
        Assert.That(drawn, Has.Length.GreaterThan(a.Length / 2));
        Assert.That(drawn.Count(p => p.First == p.Second), Is.Zero);
    }

    [TestCaseSource(nameof(Specs))]
    public void Building_a_network_draws_nothing_from_the_process_wide_generator(NetworkSpec spec)
    {
        using var scope = NewDisposeScope();
        manual_seed(5);
        var undisturbed = Near.Values(randn(8));
        manual_seed(5);
        _ = Weights(spec, seed: 7);
        Assert.That(Near.Values(randn(8)), Is.EqualTo(undisturbed));
    }

    [Test]
    public void A_dense_layer_starts_uniform_within_one_over_the_root_of_its_inputs()
    {
        using var network = NetworkSpec.Mlp().Build(new NetworkInput(InputShape.Vector(100)), 400, seed: 1);
        var weights = Near.Values(network.Head.Weight);
        Assert.That(weights.Max(Math.Abs), Is.LessThanOrEqualTo(0.1).And.GreaterThan(0.0999));
        // U(±b) has variance b²/3.
        Assert.That(weights.Sum(w => w * w) / weights.Length, Is.EqualTo(0.01 / 3).Within(2).Percent);
        Assert.That(Near.Values(network.Head.Bias).Max(Math.Abs), Is.LessThanOrEqualTo(0.1).And.GreaterThan(0.09));
    }

    [Test]
    public void A_convolution_starts_uniform_within_one_over_the_root_of_its_fan_in()
    {
        using var generator = new Generator(3);
        using var convolution = new Convolution(32, 64, 3, 1, generator);
        var weights = Near.Values(convolution.parameters().Single());
        var bound = 1 / Math.Sqrt(32 * 9);
        Assert.That(weights.Max(Math.Abs), Is.LessThanOrEqualTo(bound).And.GreaterThan(0.999 * bound));
        Assert.That(weights.Sum(w => w * w) / weights.Length, Is.EqualTo(bound * bound / 3).Within(4).Percent);
    }

    private static double[] Weights(NetworkSpec spec, int seed)
    {
        var shape = spec.NeedsImages ? InputShape.Image(1, 8, 8) : InputShape.Vector(16);
        using var network = spec.Build(new NetworkInput(shape), 10, seed);
        return [.. network.parameters().SelectMany(p => Near.Values(p))];
    }
}

using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Networks that cannot fit are refused before they take memory, with what they need and what there is.</summary>
public sealed partial class NetworkMemoryTests
{
    private static IEnumerable<TestCaseData> Networks()
    {
        // Weights and biases of two layers: (4·n + n) + (3·n + 3), n = 2e9, of 4 bytes.
        yield return new TestCaseData(NetworkSpec.Mlp(2_000_000_000), InputShape.Vector(4), (UInt128)((8 * 2_000_000_000L) + 3) * 4).SetArgDisplayNames("one wide layer");
        yield return new TestCaseData(NetworkSpec.Mlp(2_000_000_000, 2_000_000_000), InputShape.Vector(4), (UInt128)long.MaxValue).SetArgDisplayNames("more than can be counted");
        yield return new TestCaseData(NetworkSpec.ResNet(8, 16, 16, 32, 1_000_000_000), InputShape.Image(3, 32, 32), (UInt128)4_000_000_000_000).SetArgDisplayNames("a ResNet's last stage");
        yield return new TestCaseData(NetworkSpec.Vgg(8, 1_000_000, 1_000_000, 512, 512, 512), InputShape.Image(3, 32, 32), (UInt128)36_000_000_000_000).SetArgDisplayNames("a VGG's widths");
    }

    [TestCaseSource(nameof(Networks))]
    public void It_is_refused_with_the_bytes_it_needs_and_those_there_are(NetworkSpec spec, InputShape shape, UInt128 least)
    {
        var clock = Stopwatch.StartNew();
        var before = Environment.WorkingSet;
        var thrown = Assert.Throws<InvalidOperationException>(() => spec.Build(new NetworkInput(shape), 3, 1))!;
        Assert.Multiple(() =>
        {
            var bytes = Bytes().Matches(thrown.Message).Select(m => UInt128.Parse(m.Value, NumberStyles.AllowThousands, CultureInfo.InvariantCulture)).ToList();
            Assert.That(bytes[0], Is.GreaterThanOrEqualTo(least), thrown.Message);
            Assert.That(bytes[^1], Is.EqualTo((UInt128)GC.GetGCMemoryInfo().TotalAvailableMemoryBytes));
            Assert.That(thrown.Message, Does.EndWith("are available to this process. Use a smaller network, with fewer or narrower layers."));
            Assert.That(Environment.WorkingSet - before, Is.LessThan(300L << 20));
            Assert.That(clock.Elapsed, Is.LessThan(TimeSpan.FromSeconds(10)));
        });
    }

    [Test]
    public void The_bytes_of_a_perceptron_are_those_of_its_weights()
    {
        var thrown = Assert.Throws<InvalidOperationException>(() => NetworkSpec.Mlp(2_000_000_000).Build(new NetworkInput(InputShape.Vector(4)), 3, 1))!;
        Assert.That(thrown.Message, Does.StartWith("The network MLP 2000000000 over vector of 4 with 3 logits needs at least 64,000,000,012 bytes; "));
    }

    /// <summary>The first layer takes 256 bytes for each unit, all of it 272.</summary>
    [Test]
    public void It_is_refused_before_first_layers_that_would_fit_are_made()
    {
        var width = (int)Math.Min(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 264, int.MaxValue);
        var clock = Stopwatch.StartNew();
        var before = Environment.WorkingSet;
        Assert.That(() => NetworkSpec.Mlp(width).Build(new NetworkInput(InputShape.Vector(64)), 3, 1), Throws.InvalidOperationException.With.Message.Contains("needs at least"));
        Assert.Multiple(() =>
        {
            Assert.That(Environment.WorkingSet - before, Is.LessThan(300L << 20));
            Assert.That(clock.Elapsed, Is.LessThan(TimeSpan.FromSeconds(10)));
        });
    }

    [Test]
    public void A_tensor_of_a_block_of_ones_own_is_counted_too()
    {
        using var generator = new Generator(1);
        Assert.That(() => WeightInitialization.Uniform(1, generator, 1L << 40, 1L << 10), Throws.InvalidOperationException.With.Message.StartsWith(
            "A tensor of 1099511627776×1024 32-bit floats needs at least 4,503,599,627,370,496 bytes; "));
    }

    [Test]
    public void A_shape_whose_values_cannot_be_counted_is_refused() => Assert.That(
        () => InputShape.Image(3, 100_000, 100_000), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.StartsWith(
            "An image of 3×100000×100000 has 30000000000 values; at most 2147483647 can be read."));

    [Test]
    public void A_widening_factor_beyond_whole_numbers_is_a_fault() => Assert.That(
        NetworkSpec.WideResNet(16, 1_000_000_000).Validate(), Does.Contain("The widening factor of a wide ResNet must be at most 1000000; was 1000000000."));

    [GeneratedRegex(@"\d+(,\d\d\d)+")]
    private static partial Regex Bytes();
}

using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class VectorAugmentationTests
{
    [TestCase(false)]
    [TestCase(true)]
    public void Noise_has_mean_zero_and_the_deviation_asked_for(bool bytes)
    {
        using var scope = NewDisposeScope();
        using var set = Toy.Set(full(2000, 20, 100, dtype: bytes ? ScalarType.Byte : float32), new long[2000], InputShape.Vector(20), 2);
        var batch = Viewed.All(set, Augmentation.GaussianNoise(2.5));
        var noise = Near.Values(batch.Features).Select(v => (v - 100) / 2.5).ToArray();
        Assert.That(batch.Features.dtype, Is.EqualTo(float32));
        Assert.That(noise.Average(), Is.EqualTo(0).Within(0.02));
        Assert.That(noise.Average(n => n * n), Is.EqualTo(1).Within(0.03));
        Assert.That(noise.Count(n => Math.Abs(n) > 1.959964) / 40_000.0, Is.EqualTo(0.05).Within(0.005));
        Assert.That(noise.Distinct().Count(), Is.GreaterThan(39_000), "every element has its own");
    }

    [Test]
    public void A_swap_replaces_its_share_of_the_elements_by_the_same_element_of_other_rows()
    {
        using var scope = NewDisposeScope();
        // Element j of row i is 10 000·j + i: a value says where it is from.
        const int Rows = 1000;
        var values = arange(Rows, float32).unsqueeze(1).add(arange(8, float32).mul(10_000).unsqueeze(0));
        using var set = Toy.Set(values, new long[Rows], InputShape.Vector(8), 2);
        var swapped = Near.Values(Viewed.All(set, Augmentation.MarginalSwap(0.25)).Features);
        var from = swapped.Select(v => (Row: (int)v % 10_000, Element: (int)v / 10_000)).ToArray();
        Assert.That(from.Select(f => f.Element), Is.EqualTo(Enumerable.Range(0, from.Length).Select(i => i % 8)));
        var others = from.Where((f, i) => f.Row != i / 8).ToArray();
        Assert.That(others.Length / (double)from.Length, Is.EqualTo(0.25).Within(0.02));
        Assert.That(others.Select(f => f.Row).Distinct().Count(), Is.GreaterThan(800), "they come from all rows");
        Assert.That(others.Average(f => f.Row), Is.EqualTo(500).Within(30));
    }

    [Test]
    public void A_swap_takes_from_rows_trained_on_alone_and_keeps_bytes()
    {
        using var scope = NewDisposeScope();
        using var set = Toy.Set(tensor(new byte[] { 1, 2, 3, 99 }).unsqueeze(1).expand(4, 64).contiguous(), new long[4], InputShape.Vector(64), 2);
        using var views = new AugmentedViews([Augmentation.MarginalSwap(1)], 1, tensor(new long[] { 0, 1, 2 }), classes: 3);
        var seen = views.GetBatch(set, tensor(new long[] { 0, 1, 2 }), 1).Features;
        Assert.That(seen.dtype, Is.EqualTo(ScalarType.Byte));
        Assert.That(Near.Values(seen).Distinct(), Is.EquivalentTo(new double[] { 1, 2, 3 }));
    }

    [Test]
    public void The_values_of_an_image_are_swapped_as_those_of_a_vector_are()
    {
        using var scope = NewDisposeScope();
        var values = arange(50 * 24, float32).reshape(50, 24);
        using var vectors = Toy.Set(values, new long[50], InputShape.Vector(24), 2);
        using var images = Toy.Set(values.reshape(50, 2, 3, 4), new long[50], InputShape.Image(2, 3, 4), 2);
        var swapped = Viewed.All(images, Augmentation.MarginalSwap(0.5)).Features;
        Assert.That(swapped.shape, Is.EqualTo(new long[] { 50, 2, 3, 4 }));
        Assert.That(Near.Values(swapped), Is.EqualTo(Near.Values(Viewed.All(vectors, Augmentation.MarginalSwap(0.5)).Features)));
    }

    [Test]
    public void Elements_are_swapped_independently_of_each_other()
    {
        using var scope = NewDisposeScope();
        const int Rows = 4000;
        // Both elements of a row are the row's number: after a full swap their ranks are unrelated.
        using var set = Toy.Set(arange(Rows, float32).unsqueeze(1).expand(Rows, 2).contiguous(), new long[Rows], InputShape.Vector(2), 2);
        var pairs = Near.Values(Viewed.All(set, Augmentation.MarginalSwap(1)).Features).Chunk(2).ToArray();
        var (a, b) = (pairs.Average(p => p[0]), pairs.Average(p => p[1]));
        var correlation = pairs.Average(p => (p[0] - a) * (p[1] - b)) / (Rows * Rows / 12.0);
        Assert.That(correlation, Is.EqualTo(0).Within(0.06));
    }
}

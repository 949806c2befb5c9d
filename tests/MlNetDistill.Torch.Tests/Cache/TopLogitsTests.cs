using MlNetDistill.Cache;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Cache;

public sealed class TopLogitsTests
{
    [Test]
    public void At_temperature_one_the_probabilities_of_the_kept_are_exact_and_the_rest_is_shared_out()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var logits = randn([64, 20], generator: generator).mul(tensor(6f));
        var back = There(logits, 5);
        var (before, after) = (nn.functional.softmax(logits, 1), nn.functional.softmax(back, 1));
        var kept = logits.topk(5).indexes;
        Near.Array(Near.Values(after.gather(1, kept)), Near.Values(before.gather(1, kept)), 1e-6, 1e-6, "kept");
        var others = ones_like(logits).scatter(1, kept, zeros(64, 5));
        var mass = before.mul(others).sum([1]);
        Near.Array(Near.Values(after.mul(others)), Near.Values(mass.div(tensor(15f)).unsqueeze(1).mul(others)), 1e-6, 1e-6, "others");
        Assert.That(Near.Values(back.argmax(1)), Is.EqualTo(Near.Values(logits.argmax(1))));
    }

    [Test]
    public void Of_equal_logits_the_lower_classes_are_kept()
    {
        using var scope = NewDisposeScope();
        var (classes, values, others) = TopLogits.Select(tensor(new[,] { { 1f, 3f, 1f, 1f }, { 0f, -0f, 0f, -0f }, { -5f, -0f, 0f, 7f } }), 2, ScalarType.Int16);
        Assert.That(Near.Values(classes), Is.EqualTo(new double[] { 1, 0, 0, 1, 3, 1 }));
        Assert.That(Near.Values(values), Is.EqualTo(new double[] { 3, 1, 0, 0, 7, 0 }));
        Assert.That(Near.Values(others), Is.EqualTo(new[] { 1 + Math.Log(2), Math.Log(2), Math.Log(1 + Math.Exp(-5)) }).Within(1e-6));
    }

    [TestCase(1)]
    [TestCase(17)]
    [TestCase(299)]
    public void They_are_the_largest(int k)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(2);
        var logits = randn([20, 300], generator: generator);
        var (classes, values, _) = TopLogits.Select(logits, k, ScalarType.Int32);
        var (expected, indices) = logits.topk(k);
        Assert.That(Near.Values(values), Is.EqualTo(Near.Values(expected)));
        Assert.That(Near.Values(classes), Is.EqualTo(Near.Values(indices)));
    }

    [Test]
    public void Very_large_and_very_small_logits_are_summed_without_overflow()
    {
        using var scope = NewDisposeScope();
        var back = There(tensor(new[,] { { 1e30f, 1e30f, 1e30f }, { 0f, -1e30f, -1e30f } }), 1);
        Assert.That(Near.Values(back), Is.EqualTo(new double[] { 1e30f, 1e30f, 1e30f, 0, -1e30f, -1e30f }));
    }

    [Test]
    public void Classes_beyond_the_signed_range_of_16_bits_come_back()
    {
        using var scope = NewDisposeScope();
        var logits = zeros(1, 65536);
        logits[0][65535] = tensor(9f);
        logits[0][40000] = tensor(8f);
        var back = There(logits, 2);
        Assert.That(Near.Values(back.topk(2).indexes), Is.EqualTo(new double[] { 65535, 40000 }));
    }

    private static Tensor There(Tensor logits, int k)
    {
        var (classes, values, others) = TopLogits.Select(logits, k, ScalarType.Int16);
        return TopLogits.Expand(classes, values, others, (int)logits.shape[1]);
    }
}

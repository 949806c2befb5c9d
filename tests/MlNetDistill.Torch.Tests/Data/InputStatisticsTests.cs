using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class InputStatisticsTests
{
    [Test]
    public void A_vector_of_floats_is_standardised_element_by_element_over_the_rows_trained_on()
    {
        // The third row is held out: its values must not count.
        var statistics = ComputeStatistics(tensor(new[,] { { 1f, 10f }, { 3f, 30f }, { 99f, 99f } }), InputShape.Vector(2), InputScaling.Standardize, 0, 1);
        Assert.That(statistics!.Mean, Is.EqualTo(new[] { 2f, 20f }));
        Assert.That(statistics.Deviation, Is.EqualTo(new[] { 1f, 10f }));
    }

    [Test]
    public void A_vector_of_bytes_is_standardised_as_a_whole()
    {
        var statistics = ComputeStatistics(tensor(new byte[,] { { 0, 100 }, { 200, 100 } }), InputShape.Vector(2), InputScaling.Auto, 0, 1);
        Assert.That(statistics!.Mean, Is.EqualTo(new[] { 100f }));
        Assert.That(statistics.Deviation.Single(), Is.EqualTo(Math.Sqrt(5000)).Within(1e-4));
    }

    [Test]
    public void An_image_is_standardised_channel_by_channel()
    {
        var pixels = tensor(new byte[] { 10, 30, 0, 0, 30, 10, 200, 0 }).reshape(2, 2, 1, 2);
        var statistics = ComputeStatistics(pixels, InputShape.Image(2, 1, 2), InputScaling.Auto, 0, 1);
        Assert.That(statistics!.Mean, Is.EqualTo(new[] { 20f, 50f }));
        Assert.That(statistics.Deviation, Is.EqualTo(new[] { 10f, (float)Math.Sqrt(7500) }).Within(1e-4));
    }

    [Test]
    public void A_constant_input_is_divided_by_one()
    {
        var statistics = ComputeStatistics(tensor(new[,] { { 5f }, { 5f } }), InputShape.Vector(1), InputScaling.Standardize, 0, 1);
        Assert.That((statistics!.Mean.Single(), statistics.Deviation.Single()), Is.EqualTo((5f, 1f)));
    }

    [Test]
    public void Floats_are_left_alone_unless_asked_and_bytes_unless_told_not_to()
    {
        Assert.That(ComputeStatistics(ones(2, 1), InputShape.Vector(1), InputScaling.Auto, 0, 1), Is.Null);
        Assert.That(ComputeStatistics(ones(2, 1, dtype: ScalarType.Byte), InputShape.Vector(1), InputScaling.None, 0, 1), Is.Null);
    }

    [Test]
    public void Many_rows_are_counted_in_chunks_without_loss()
    {
        // 1, 2, …, n has mean (n + 1) / 2 and variance (n² - 1) / 12.
        const int Rows = 10_000;
        var positions = Enumerable.Range(0, Rows).Select(i => (long)i).ToArray();
        var statistics = ComputeStatistics(arange(1, Rows + 1).to(float32).reshape(Rows, 1), InputShape.Vector(1), InputScaling.Standardize, positions);
        Assert.That(statistics!.Mean.Single(), Is.EqualTo((Rows + 1) / 2.0).Within(1e-3));
        Assert.That(statistics.Deviation.Single(), Is.EqualTo(Math.Sqrt((((double)Rows * Rows) - 1) / 12)).Within(1e-3));
    }

    private static InputStatistics? ComputeStatistics(Tensor features, InputShape shape, InputScaling scaling, params long[] positions)
    {
        using var scope = NewDisposeScope();
        using var set = Toy.Set(features, new long[features.shape[0]], shape, 2);
        return InputStatisticsFactory.Compute(set, tensor(positions), scaling);
    }
}

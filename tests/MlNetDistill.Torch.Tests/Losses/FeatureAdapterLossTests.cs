using MlNetDistill.Losses;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>The projections that losses train: their kernels, their biases and how they start.</summary>
public sealed class FeatureAdapterLossTests
{
    private IDisposable _scope = null!;
    private Generator _generator = null!;

    [SetUp]
    public void OpenScope()
    {
        _scope = NewDisposeScope();
        _generator = new Generator(1);
    }

    [TearDown]
    public void CloseScope()
    {
        _generator.Dispose();
        _scope.Dispose();
    }

    /// <summary>Half and twice the size have a stride of 2 only where both sides have; else the kernel makes up the difference, or is 1×1 where the student's map is the smaller.</summary>
    [TestCase(8, 8, 4, 4, 3, 3, 4, 4)]
    [TestCase(4, 6, 2, 2, 3, 5, 2, 2)]
    [TestCase(6, 4, 2, 2, 5, 3, 2, 2)]
    [TestCase(3, 3, 6, 6, 4, 4, 6, 6)]
    [TestCase(2, 3, 4, 4, 1, 1, 2, 3)]
    [TestCase(3, 2, 4, 4, 1, 1, 3, 2)]
    [TestCase(4, 3, 3, 3, 2, 1, 3, 3)]
    [TestCase(3, 4, 3, 3, 1, 2, 3, 3)]
    [TestCase(4, 2, 3, 3, 1, 1, 4, 2)]
    [TestCase(2, 4, 3, 3, 1, 1, 2, 4)]
    public void The_kernel_of_a_regressor_follows_from_both_sizes(int height, int width, int toHeight, int toWidth, int kernelHeight, int kernelWidth, int outHeight, int outWidth)
    {
        var regressor = FeatureAdapter.Regressor([2, height, width], [5, toHeight, toWidth], _generator);
        Assert.That(regressor.parameters().First().shape[2..], Is.EqualTo(new long[] { kernelHeight, kernelWidth }));
        var mapped = regressor.call(LossProbe.Maps(8, 2, height, width, 1).to(float32));
        Assert.That(mapped.shape, Is.EqualTo(new long[] { 8, 5, outHeight, outWidth }));
        Assert.That((mapped.min().item<float>(), mapped.max().item<float>() > 0), Is.EqualTo((0f, true)), "behind a rectifier");
    }

    /// <summary>As in PyTorch: uniform to 1 / √ of the products that make one output, which it counts by the output channels where the convolution is transposed.</summary>
    [TestCase(4, 64, 8, 4, 4 * 9, Description = "3×3 at stride 2")]
    [TestCase(64, 4, 4, 8, 4 * 16, Description = "transposed")]
    [TestCase(4, 64, 5, 4, 4 * 4, Description = "2×2")]
    public void The_weights_of_a_regressor_start_within_the_bound_of_their_fan_in(int inputs, int outputs, int size, int toSize, int fanIn)
    {
        var regressor = FeatureAdapter.Regressor([inputs, size, size], [outputs, toSize, toSize], _generator);
        ExpectUniform(regressor.get_parameter("_weight")!, fanIn);
        Assert.That(Near.Values(regressor.get_parameter("_bias")!.abs()), Is.All.AtMost(1 / Math.Sqrt(fanIn)));
    }

    [Test]
    public void Vectors_maps_of_one_size_and_directions_of_classes_start_within_the_bound_of_their_length()
    {
        ExpectUniform(FeatureAdapter.Linear(16, 30, true, _generator).get_parameter("_weight")!, 16);
        Assert.That(Near.Values(FeatureAdapter.Linear(16, 30, true, _generator).get_parameter("_bias")!.abs()), Is.All.AtMost(0.25));
        ExpectUniform(FeatureAdapter.Pointwise(16, 30, _generator).get_parameter("_weight")!, 16);
        ExpectUniform(new ArcFaceLoss(30).CreateProjections(Shapes.OfEmbedding(16), new OutputShapes(30), _generator).Single().parameters().Single(), 16);
    }

    [Test]
    public void A_projection_of_a_direction_has_no_bias_and_one_of_values_has()
    {
        string[] Parameters(DistillationLoss loss) =>
            [.. loss.CreateProjections(Shapes.OfEmbedding(3), Shapes.OfEmbedding(5), _generator).Single().named_parameters().Select(parameter => parameter.name)];
        Assert.That(Parameters(new CosineLoss()), Is.EqualTo(new[] { "_weight" }));
        Assert.That(Parameters(new AdjacentPairsLoss()), Is.EqualTo(new[] { "_weight", "_bias" }));
    }

    // Of hundreds of draws, the largest is close to the bound.
    private static void ExpectUniform(Tensor weights, int fanIn)
    {
        var largest = Near.Values(weights.abs()).Max();
        Assert.That(largest * Math.Sqrt(fanIn), Is.InRange(0.95, 1.000001));
    }
}

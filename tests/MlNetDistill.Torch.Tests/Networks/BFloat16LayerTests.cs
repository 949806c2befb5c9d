using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Layers in bfloat16: the same as exact arithmetic with inputs and weights that were rounded by hand.</summary>
public sealed class BFloat16LayerTests
{
    // Rounded once, at the end; sums of products in between are of 32-bit floats.
    private const double Once = 1.01 * Rounded.Error;

    private readonly Generator _generator = new(5);
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    [OneTimeTearDown]
    public void DisposeGenerator() => _generator.Dispose();

    [Test]
    public void A_convolution_and_its_gradients_are_those_of_rounded_inputs_and_weights(
        [Values(1, 3, 5)] int kernel, [Values(1, 2)] int stride, [Values(1, 4, 12)] int inputs, [Values(4, 8, 20)] int outputs, [Values] bool isGrouped)
    {
        var groups = isGrouped && inputs > 1 ? 4 : 1;
        using var convolution = new Convolution(inputs, outputs, kernel, stride, _generator, groups, bias: true);
        var (weight, bias) = (convolution.parameters().First(), convolution.parameters().Last());
        var rows = randn([3, inputs, 8, 6], float32, CPU, generator: _generator).requires_grad_();
        Tensor[] exact = [.. new[] { rows, weight, bias }.Select(value => Rounded.Exact(value).requires_grad_())];
        var expected = nn.functional.conv2d(exact[0], exact[1], exact[2], [stride, stride], [kernel / 2, kernel / 2], groups: groups);
        CompareWithGradients(() => convolution.forward(rows), expected, [rows, weight, bias], exact);
    }

    [TestCase(1, 1)]
    [TestCase(7, 3)]
    [TestCase(130, 40)]
    public void A_linear_layer_and_its_gradients_are_those_of_rounded_inputs_and_weights(int inputs, int outputs)
    {
        using var linear = new Linear(inputs, outputs, _generator);
        var rows = randn([11, inputs], float32, CPU, generator: _generator).requires_grad_();
        Tensor[] leaves = [rows, linear.Weight, linear.Bias];
        Tensor[] exact = [.. leaves.Select(value => Rounded.Exact(value).requires_grad_())];
        CompareWithGradients(() => linear.forward(rows), nn.functional.linear(exact[0], exact[1], exact[2]), leaves, exact);
    }

    [Test]
    public void Batch_normalization_of_a_map_in_bfloat16_has_statistics_of_32_bits([Values] bool isTraining, [Values] bool isChannelsLast)
    {
        using var normalization = new BatchNormalization(9);
        using (no_grad())
            normalization.PerturbWeights(_generator);
        normalization.train(isTraining);
        var map = randn([16, 9, 6, 5], float32, CPU, generator: _generator).add(3f).to(bfloat16);
        if (isChannelsLast)
            map = map.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);
        map = map.detach().requires_grad_();
        var parameters = normalization.parameters().ToArray();
        Tensor[] exact = [.. new Tensor[] { map, parameters[0], parameters[1] }.Select(value => value.detach().to(float64).contiguous().requires_grad_())];
        var (mean, variance) = (zeros(9, float64), ones(9, float64));
        var expected = nn.functional.batch_norm(exact[0], mean, variance, exact[1], exact[2], isTraining, 0.1, 1e-5);
        CompareWithGradients(() => normalization.forward(map), expected, [map, .. parameters], exact);

        var buffers = normalization.buffers().ToArray();
        Assert.That(buffers.Select(buffer => buffer.dtype), Is.All.EqualTo(ScalarType.Float32));
        // Had they been computed in bfloat16, they would be off by about 1e-3.
        Near.Array(Near.Values(buffers[0]), Near.Values(mean), 1e-6, 1e-7, "running mean");
        Near.Array(Near.Values(buffers[1]), Near.Values(variance), 1e-6, 1e-7, "running variance");
    }

    [Test]
    public void Global_pooling_adds_in_32_bits()
    {
        using var pool = new GlobalAveragePool();
        var map = rand([4, 6, 32, 32], float32, CPU, generator: _generator).to(bfloat16).requires_grad_();
        using var layers = LayerPrecision.Use(TrainingPrecision.BFloat16);
        var mean = pool.forward(map);
        Assert.That(mean.dtype, Is.EqualTo(ScalarType.Float32));
        Near.Array(Near.Values(mean), Near.Values(map.to(float64).mean([2, 3])), 1e-6, 0, "mean");
        mean.sum().backward();
        Near.Array(Near.Values(map.grad!), [.. Enumerable.Repeat(1 / 1024.0, 4 * 6 * 1024)], 1e-9, 0, "gradient");
    }

    [Test]
    public void Averages_and_maxima_around_pixels_round_once()
    {
        var map = rand([4, 6, 9, 9], float32, CPU, generator: _generator).to(bfloat16);
        foreach (var block in new Block[] { new AveragePool(3, 2), new MaxPool(2) })
        {
            using (block)
            using (LayerPrecision.Use(TrainingPrecision.BFloat16))
                Near.Array(Near.Values(block.forward(map)), Near.Values(block.forward(map.to(float64))), Once, 0, block.GetType().Name);
        }
    }

    private static void CompareWithGradients(Func<Tensor> forward, Tensor expected, IReadOnlyList<Tensor> leaves, IReadOnlyList<Tensor> exact)
    {
        Tensor actual;
        using (LayerPrecision.Use(TrainingPrecision.BFloat16))
            actual = forward();
        Assert.That(actual.dtype, Is.EqualTo(ScalarType.BFloat16));
        // libtorch rounds before and after it adds a bias to a product of matrices.
        Near.Array(Near.Values(actual), Near.Values(expected), 2 * Once, 1e-6, "output");
        // Factors that rounding does not change.
        var factors = tensor([.. Enumerable.Range(0, (int)expected.numel()).Select(i => ((i * 7 % 16) - 7.5f) / 8)]).reshape(expected.shape);
        actual.to(float32).mul(factors).sum().backward();
        expected.mul(factors.to(float64)).sum().backward();
        for (var i = 0; i < leaves.Count; i++)
        {
            Assert.That(leaves[i].grad!.dtype, Is.EqualTo(leaves[i].dtype), "a gradient has the type of what it belongs to");
            Near.Array(Near.Values(leaves[i].grad!), Near.Values(exact[i].grad!), 2 * Once, 1e-5, $"gradient {i}");
        }
    }
}

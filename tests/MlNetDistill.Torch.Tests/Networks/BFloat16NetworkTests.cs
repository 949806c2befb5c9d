using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Whole networks in bfloat16.</summary>
[Category("NoCulture")]
public sealed class BFloat16NetworkTests
{
    private const ModelOutputs All = ModelOutputs.Logits | ModelOutputs.Embedding | ModelOutputs.StageFeatures;
    private static readonly NetworkInput Image = new(InputShape.Image(3, 16, 16));
    private Generator _generator = null!;
    private IDisposable _scope = null!;

    [SetUp]
    public void Begin() => (_scope, _generator) = (NewDisposeScope(), new Generator(5));

    [TearDown]
    public void End()
    {
        _generator.Dispose();
        _scope.Dispose();
    }

    private static readonly NetworkSpec[] Specs =
        [NetworkSpec.Mlp(), NetworkSpec.Mlp(40, 20), NetworkSpec.Projected(NetworkSpec.ResNet(8, 4, 8, 16), 12), .. Catalogue.Small];

    private static IEnumerable<TestCaseData> Networks() => Specs.Select(spec => new TestCaseData(spec).SetArgDisplayNames(spec.Name));

    [Test]
    public void A_perceptron_rounds_the_inputs_weights_and_outputs_of_its_layers()
    {
        using var network = NetworkSpec.Mlp(40, 20).Build(new NetworkInput(InputShape.Vector(12)), 5, seed: 1);
        var rows = randn([9, 12], float32, CPU, generator: _generator);
        var output = network.Forward(rows, All, TrainingPrecision.BFloat16);
        var (layers, value) = (network.parameters().Chunk(2).ToArray(), rows);
        for (var i = 0; i < layers.Length; i++)
        {
            value = Rounded.Exact(nn.functional.linear(Rounded.Exact(value), Rounded.Exact(layers[i][0]), Rounded.Exact(layers[i][1])));
            value = i == 2 ? value : value.relu();
            // Sums of 32-bit floats may round to the neighbour.
            Near.Array(Near.Values(i == 2 ? output.Logits : output.StageFeatures[i]), Near.Values(value), 2 * Rounded.Error, 0, $"layer {i}");
        }

        Near.Array(Near.Values(output.Embedding), Near.Values(output.StageFeatures[1]), 0, 0, "embedding");
    }

    [TestCaseSource(nameof(Networks))]
    public void Losses_read_32_bit_floats_and_weights_gradients_and_statistics_are_32_bit_floats(NetworkSpec spec)
    {
        using var network = spec.Build(Image, 5, seed: 1);
        network.train();
        var rows = randn([16, 3, 16, 16], float32, CPU, generator: _generator);
        var output = network.Forward(rows, All, TrainingPrecision.BFloat16);
        Assert.That(output.All.Select(value => value.dtype), Is.All.EqualTo(ScalarType.Float32));
        Assert.That(output.StageFeatures, Has.All.Matches<Tensor>(feature => feature!.is_contiguous()));
        output.All.Select(value => value.sin().sum()).Aggregate((a, b) => a.Add(b)).backward();
        foreach (var (name, parameter) in network.named_parameters())
        {
            Assert.That((parameter.dtype, parameter.grad?.dtype), Is.EqualTo((ScalarType.Float32, (ScalarType?)ScalarType.Float32)), name);
            Assert.That(Near.Values(parameter.grad!), Has.All.Matches<double>(double.IsFinite), name);
        }

        Assert.That(network.state_dict().Values.Select(value => value.dtype), Is.All.EqualTo(ScalarType.Float32));
    }

    /// <summary>
    /// Block by block, each on the map that the float network has there: over tens of layers at once, gradients of untrained networks change as much by rounding the rows
    /// alone.
    /// </summary>
    [TestCaseSource(nameof(Networks))]
    public void Each_block_and_its_gradients_are_near_those_in_32_bit_floats(NetworkSpec spec)
    {
        var x = randn([32, 3, 16, 16], float32, CPU, generator: _generator);
        foreach (var (block, i) in spec.CreatePlan(Image.Shape, 5, _generator).Body.Select((block, i) => (block, i)))
        {
            using (block)
            {
                block.train();
                var (expected, found) = (Run(block, x, TrainingPrecision.Float32), Run(block, x, TrainingPrecision.BFloat16));
                Assert.That(found.Keys, Is.EquivalentTo(expected.Keys));
                // Normalization takes away all or most of what a bias before it adds, so that its gradient is small beside its rounding.
                var largest = expected.Where(pair => pair.Key.StartsWith("gradient of _", StringComparison.Ordinal)).Select(pair => Norm(pair.Value)).DefaultIfEmpty(0).Max();
                // A rectifier lets a value near 0 pass in one precision alone, and normalization makes much of a little; a wrong gradient is off by about 1.
                foreach (var (name, values) in expected.Where(pair => Norm(pair.Value) >= 0.1 * largest))
                    Assert.That(Distance(found[name], values), Is.LessThan(name == "output" ? 0.03 : 0.5), $"{name} of block {i}, {block.GetType().Name}");
                Assert.That(Distance([.. expected.Keys.SelectMany(name => found[name])], [.. expected.Values.SelectMany(v => v)]), Is.LessThan(0.2), $"all of block {i}");
                using (no_grad())
                    x = block.forward(x).detach();
            }
        }
    }

    [Test]
    public void Blocks_and_modules_of_users_read_and_compute_32_bit_floats()
    {
        var seen = new List<ScalarType>();
        var plan = new NetworkPlan(
            [
                new Convolution(3, 8, 3, 1, _generator),
                new Own(seen, _generator),
                new Sequential(new Convolution(8, 8, 3, 1, _generator), new ModuleBlock(new OwnModule(seen), (_, _) => throw new NotSupportedException())),
                new Convolution(8, 8, 3, 1, _generator),
                new GlobalAveragePool(),
            ],
            [3],
            8);
        using var network = new Network(Image, plan, 5, _generator);
        var output = network.Forward(randn([4, 3, 16, 16], float32, CPU, generator: _generator), ModelOutputs.Logits, TrainingPrecision.BFloat16);
        Assert.That(seen, Has.Count.EqualTo(3).And.All.EqualTo(ScalarType.Float32));
        output.Logits.sum().backward();
        Assert.That(network.parameters().Select(parameter => parameter.grad!.dtype), Is.All.EqualTo(ScalarType.Float32));
    }

    [Test]
    public void After_a_pass_that_fails_and_on_other_threads_layers_compute_in_32_bit_floats()
    {
        using var network = new Network(Image, new NetworkPlan([new Failing(), new Flatten()], [], 768), 5, _generator);
        Assert.That(() => network.Forward(zeros(1, 3, 16, 16), ModelOutputs.Logits, TrainingPrecision.BFloat16), Throws.InvalidOperationException);
        Assert.That(LayerPrecision.IsBFloat16, Is.False);
        using (LayerPrecision.Use(TrainingPrecision.BFloat16))
        {
            var elsewhere = true;
            var thread = new Thread(() => elsewhere = LayerPrecision.IsBFloat16);
            thread.Start();
            thread.Join();
            Assert.That((LayerPrecision.IsBFloat16, elsewhere), Is.EqualTo((true, false)));
        }
    }

    private static Dictionary<string, double[]> Run(Block block, Tensor input, TrainingPrecision precision)
    {
        block.zero_grad();
        var leaf = input.detach().requires_grad_();
        Tensor output;
        using (LayerPrecision.Use(precision))
            output = LayerPrecision.Widen(block.Run(leaf));
        using var factors = new Generator(7);
        output.mul(randn(output.shape, float32, CPU, generator: factors)).sum().backward();
        var values = block.named_parameters().ToDictionary(p => $"gradient of {p.name}", p => Near.Values(p.parameter.grad!));
        values["output"] = Near.Values(output);
        values["gradient of the input"] = Near.Values(leaf.grad!);
        return values;
    }

    /// <summary>The norm of the difference as a share of the norm of what is expected.</summary>
    private static double Distance(double[] found, double[] expected) => Norm(found.Zip(expected, (a, b) => a - b)) / Norm(expected);

    private static double Norm(IEnumerable<double> values) => Math.Sqrt(values.Sum(value => value * value));

    private sealed class Own : Block
    {
        private readonly List<ScalarType> _seen;
        private readonly Convolution _inner;

        public Own(List<ScalarType> seen, Generator generator)
        {
            (_seen, _inner) = (seen, new Convolution(8, 8, 3, 1, generator));
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            _seen.Add(input.dtype);
            var output = _inner.forward(input);
            _seen.Add(output.dtype);
            return output;
        }

        public override string Emit(OnnxGraph graph, string input) => throw new NotSupportedException();
    }

    private sealed class OwnModule(List<ScalarType> seen) : nn.Module<Tensor, Tensor>("own")
    {
        public override Tensor forward(Tensor input)
        {
            seen.Add(input.dtype);
            return input.relu();
        }
    }

    private sealed class Failing : Block
    {
        public override Tensor forward(Tensor input) => throw new InvalidOperationException("no");

        public override string Emit(OnnxGraph graph, string input) => throw new NotSupportedException();
    }
}

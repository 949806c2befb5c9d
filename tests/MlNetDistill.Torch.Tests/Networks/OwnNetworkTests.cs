using MlNetDistill.Core;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Networks as users write them: a specification of their own over our blocks or over TorchSharp's modules.</summary>
public sealed class OwnNetworkTests
{
    private static readonly NetworkInput Four = new(InputShape.Vector(4));

    [Test]
    public void A_module_trains_with_the_network_and_its_parameters_count()
    {
        using var set = Toy.Clouds();
        using var network = Runs.Student(new ModuleSpec(), set);
        Assert.That(network.ParameterCount, Is.EqualTo((4 * 6) + 6 + 6 + 6 + (6 * 3) + 3));
        var before = Runs.State(network);
        Runs.Train(network, set, Runs.Stage(10, optimizer: Optimizer.AdamW(0.02)));
        // Parameters and running statistics; of all values only few could stay by chance.
        Assert.That(Runs.State(network).Zip(before).Count(p => p.First == p.Second), Is.LessThan(3));
        Assert.That(Runs.Accuracy(network, set), Is.GreaterThan(0.95));
    }

    [Test]
    public void A_tapped_feature_outlives_blocks_that_hand_it_on_as_it_is()
    {
        using var scope = NewDisposeScope();
        using var network = new HandsOnSpec().Build(Four, 3, seed: 1);
        var output = network.Forward(ones(2, 4), ModelOutputs.StageFeatures | ModelOutputs.Logits);
        Assert.That(Near.Values(output.StageFeatures[0]), Has.Length.EqualTo(10));
    }

    [Test]
    public void A_module_saves_and_loads_with_the_network()
    {
        using var set = Toy.Clouds();
        using var network = Runs.Student(new ModuleSpec(), set);
        Runs.Train(network, set, Runs.Stage(2));
        using var buffer = new MemoryStream();
        network.save(buffer); // closes the stream; its bytes remain readable
        using var other = Runs.Student(new ModuleSpec(), set, seed: 2);
        Assert.That(Runs.State(other), Is.Not.EqualTo(Runs.State(network)));
        using var bytes = new MemoryStream(buffer.ToArray());
        other.load(bytes);
        Assert.That(Runs.State(other), Is.EqualTo(Runs.State(network)));
    }

    [Test]
    public void A_module_that_was_moved_is_still_the_one_that_computes_and_is_exported()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var network = OnnxScoring.Perturbed(new ModuleSpec(), Four, 3);
        var rows = OnnxScoring.Features(Four, 5);
        var before = Near.Values(network.forward(rows).Logits);
        network.to(ScalarType.Float64);
        network.to(ScalarType.Float32);
        Assert.That(Near.Values(network.forward(rows).Logits), Is.EqualTo(before));
        using var onnx = new OnnxScoring(OnnxExport.WriteClassifier(network, "Features"));
        Near.Array(onnx.Run("Features", rows, "Score"), Near.Values(network.forward(rows).Logits.softmax(1)), 1e-5, 0, "scores");
    }

    [Test]
    public void Disposing_the_network_disposes_the_module()
    {
        var module = nn.Linear(4, 2);
        new ModuleSpec { Make = () => module }.Build(Four, 3, seed: 1).Dispose();
        Assert.That(module.weight!.IsInvalid);
    }

    [Test]
    public void A_module_may_hand_its_input_on_as_it_is()
    {
        using var scope = NewDisposeScope();
        using var block = new ModuleBlock(new Nothing(), (_, input) => input);
        var rows = rand(2, 3);
        Assert.That(block.forward(rows), Is.SameAs(rows));
        Assert.That(rows.IsInvalid, Is.False);
    }

    [TestCase(0.01, false)]
    [TestCase(0.2, true)]
    public void An_ONNX_form_that_forgets_a_normalisation_differs_when_compared(double least, bool forgets)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var network = OnnxScoring.Perturbed(new ModuleSpec { ForgetsNormalization = forgets }, Four, 3);
        using var onnx = new OnnxScoring(OnnxExport.WriteBackbone(network, "Features", "e"));
        var rows = OnnxScoring.Features(Four, 20);
        var embedding = Near.Values(network.Forward(rows, ModelOutputs.Embedding).Embedding!);
        var difference = onnx.Run("Features", rows, "e").Zip(embedding).Max(p => Math.Abs(p.First - p.Second));
        Assert.That(difference, forgets ? Is.GreaterThan(least) : Is.LessThan(least));
    }

    [Test]
    public void Weights_drawn_anew_depend_on_the_seed_alone()
    {
        manual_seed(1);
        var first = Weights(seed: 7);
        manual_seed(2);
        Assert.That(Weights(seed: 7), Is.EqualTo(first));
        // The normalisation's ones and zeros and its statistics are no draws.
        Assert.That(Weights(seed: 8).Zip(first).Count(p => p.First == p.Second), Is.EqualTo((4 * 6) + 1));

        static double[] Weights(int seed)
        {
            using var network = new ModuleSpec().Build(Four, 3, seed);
            return Runs.State(network);
        }
    }

    [Test]
    public void Weights_are_drawn_anew_as_PyTorch_starts_linear_layers_and_convolutions()
    {
        using var generator = new Generator(5);
        using var module = nn.Conv2d(8, 64, 3);
        WeightInitialization.Reinitialize(module, generator);
        var bound = 1 / Math.Sqrt(8 * 9);
        var weights = Near.Values(module.weight!);
        Assert.That(weights.Max(Math.Abs), Is.LessThanOrEqualTo(bound).And.GreaterThan(0.99 * bound));
        Assert.That(weights.Sum(w => w * w) / weights.Length, Is.EqualTo(bound * bound / 3).Within(5).Percent);
        Assert.That(Near.Values(module.bias!).Max(Math.Abs), Is.LessThanOrEqualTo(bound).And.GreaterThan(0.8 * bound));
    }

    /// <summary>A linear layer and a normalisation of TorchSharp's.</summary>
    private sealed record ModuleSpec : NetworkSpec
    {
        public Func<nn.Module<Tensor, Tensor>>? Make { get; init; }

        public bool ForgetsNormalization { get; init; }

        public override string Name => "module";

        protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator)
        {
            if (Make is not null)
                return new NetworkPlan([new ModuleBlock(Make(), (_, input) => input)], [], 2);
            var linear = nn.Linear(shape.Length, 6);
            var normalization = nn.BatchNorm1d(6);
            var module = nn.Sequential(linear, normalization);
            WeightInitialization.Reinitialize(module, generator);
            return new NetworkPlan([new ModuleBlock(module, Emit), new Relu()], [1], 6);

            string Emit(OnnxGraph graph, string input)
            {
                var product = graph.Add("Gemm", [input, graph.Constant(linear.weight!), graph.Constant(linear.bias!)], ("transB", 1L));
                if (ForgetsNormalization)
                    return product;
                string[] constants =
                [
                    graph.Constant(normalization.weight!), graph.Constant(normalization.bias!),
                    graph.Constant(normalization.running_mean!), graph.Constant(normalization.running_var!),
                ];
                return graph.Add("BatchNormalization", [product, .. constants], ("epsilon", 1e-5f));
            }
        }
    }

    private sealed class Nothing() : nn.Module<Tensor, Tensor>("nothing")
    {
        public override Tensor forward(Tensor input) => input;
    }

    private sealed record HandsOnSpec : NetworkSpec
    {
        public override string Name => "hands on";

        protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator) =>
            new([new Linear(4, 5, generator), new AsItIs(), new Linear(5, 6, generator)], [0], 6);
    }

    private sealed class AsItIs : Block
    {
        public override Tensor forward(Tensor input) => input;

        public override string Emit(OnnxGraph graph, string input) => input;
    }
}

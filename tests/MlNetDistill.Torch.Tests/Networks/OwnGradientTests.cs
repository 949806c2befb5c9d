using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Gradients that perceptrons compute themselves are those of autograd.</summary>
public sealed class OwnGradientTests
{
    private static readonly NetworkInput Image = new(InputShape.Image(2, 3, 2), false, new InputStatistics([0.5f], [0.25f]));
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    private static IEnumerable<TestCaseData> Networks()
    {
        foreach (var wanted in new[] { ModelOutputs.Logits, ModelOutputs.Embedding, ModelOutputs.Logits | ModelOutputs.Embedding })
        {
            // The embedding of a linear network is its input.
            if (wanted.HasFlag(ModelOutputs.Logits))
                yield return Case(NetworkSpec.Mlp(), wanted, "linear");
            yield return Case(NetworkSpec.Mlp(7), wanted, "one hidden layer");
            yield return Case(NetworkSpec.Mlp(9, 5, 6), wanted, "three hidden layers");
            yield return Case(new LogitsSpec(), wanted, "a body that ends in logits");
            yield return Case(new SharedLayerSpec(), wanted, "a layer that is used twice");
        }

        static TestCaseData Case(NetworkSpec spec, ModelOutputs wanted, string name) => new TestCaseData(spec, wanted).SetArgDisplayNames(name, $"{wanted}");
    }

    [TestCaseSource(nameof(Networks))]
    public void They_are_those_of_autograd(NetworkSpec spec, ModelOutputs wanted)
    {
        using var network = Build(spec);
        var rows = LossProbe.Logits(11, 12, 3).reshape(11, 2, 3, 2);
        var expected = Gradients(network, () => Backward(network.Forward(rows, wanted)));
        var found = Gradients(network, () =>
        {
            var pass = network.TryBeginPass(rows, wanted)!;
            Backward(pass.Output);
            pass.Backward();
        });
        Assert.That(found.Keys, Is.EquivalentTo(expected.Keys), "the parameters that have a gradient");
        foreach (var (name, gradient) in expected)
            Near.Array(found[name], gradient, 1e-12, 1e-15, name);
    }

    [Test]
    public void Outputs_are_those_of_a_forward_pass()
    {
        using var network = Build(NetworkSpec.Mlp(9, 5));
        var rows = LossProbe.Logits(4, 12, 3).reshape(4, 2, 3, 2);
        const ModelOutputs both = ModelOutputs.Logits | ModelOutputs.Embedding;
        var (expected, found) = (network.Forward(rows, both), network.TryBeginPass(rows, both)!.Output);
        Assert.That(Near.Values(found.Logits), Is.EqualTo(Near.Values(expected.Logits)));
        Assert.That(Near.Values(found.Embedding), Is.EqualTo(Near.Values(expected.Embedding)));
    }

    [Test]
    public void Parameters_that_do_not_train_get_none_and_the_others_the_same()
    {
        using var network = Build(NetworkSpec.Mlp(9, 5));
        var first = network.named_parameters().First().parameter;
        first.requires_grad = false;
        var rows = LossProbe.Logits(4, 12, 3).reshape(4, 2, 3, 2);
        var expected = Gradients(network, () => Backward(network.forward(rows)));
        var found = Gradients(network, () =>
        {
            var pass = network.TryBeginPass(rows, ModelOutputs.Logits)!;
            Backward(pass.Output);
            pass.Backward();
        });
        Assert.That(found, Has.Count.EqualTo(5));
        foreach (var (name, gradient) in expected)
            Near.Array(found[name], gradient, 1e-12, 1e-15, name);
    }

    /// <summary>Rows are read again in every epoch.</summary>
    [Test]
    public void Rows_stay_as_they_are()
    {
        using var network = NetworkSpec.Mlp(5).Build(new NetworkInput(InputShape.Vector(3)), 2, seed: 1);
        var rows = LossProbe.Logits(4, 3, 3, type: ScalarType.Float32);
        var before = Near.Values(rows);
        var pass = network.TryBeginPass(rows, ModelOutputs.Logits)!;
        Backward(pass.Output);
        pass.Backward();
        Assert.That(Near.Values(rows), Is.EqualTo(before));
    }

    [Test]
    public void Networks_of_other_blocks_and_stage_features_are_left_to_autograd()
    {
        using var residual = NetworkSpec.ResNet(8, 4, 4, 4).Build(new NetworkInput(InputShape.Image(1, 8, 8)), 3, seed: 1);
        Assert.That(residual.TryBeginPass(rand(2, 1, 8, 8), ModelOutputs.Logits), Is.Null);
        using var perceptron = Build(NetworkSpec.Mlp(5));
        Assert.That(perceptron.TryBeginPass(rand(2, 2, 3, 2), ModelOutputs.Logits | ModelOutputs.StageFeatures), Is.Null);
    }

    /// <summary>A loss may reach parameters by another way than the outputs, here a penalty on the weights themselves.</summary>
    [Test]
    public void A_loss_that_reaches_the_weights_directly_teaches_too()
    {
        using var set = Toy.Clouds();
        using var network = Runs.Student(NetworkSpec.Mlp(6), set);
        Runs.Train(network, set, Runs.Stage(40, new CrossEntropyLoss() + (20 * new PenaltyLoss(network.Head.Weight)), optimizer: Optimizer.Sgd(0.01, 0, false, 0)));
        Assert.That(Near.Values(network.Head.Weight).Max(Math.Abs), Is.LessThan(0.05));
    }

    private static Network Build(NetworkSpec spec)
    {
        var network = spec.Build(Image, 4, seed: 1);
        network.to(ScalarType.Float64);
        return network;
    }

    // Any function of the outputs whose gradient differs from value to value.
    private static void Backward(NetworkOutput output)
    {
        var sum = zeros(1, float64);
        foreach (var values in output.All)
            sum = sum.Add(values.to(float64).sin().mul(values.to(float64)).sum());
        sum.backward();
    }

    private static Dictionary<string, double[]> Gradients(Network network, Action compute)
    {
        foreach (var parameter in network.parameters())
            parameter.grad = null;
        compute();
        return network.named_parameters().Where(p => p.parameter.grad is not null).ToDictionary(p => p.name, p => Near.Values(p.parameter.grad!));
    }

    private sealed record LogitsSpec : NetworkSpec
    {
        public override string Name => "logits";

        protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator) =>
            NetworkPlan.EndingInLogits([new Flatten(), new Linear((int)shape.Length, 6, generator), new Relu(), new Linear(6, logitCount, generator)], [], logitCount);
    }

    private sealed record SharedLayerSpec : NetworkSpec
    {
        public override string Name => "shared";

        protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator)
        {
            var shared = new Linear(5, 5, generator);
            return new([new Flatten(), new Linear((int)shape.Length, 5, generator), shared, new Relu(), shared], [], 5);
        }
    }

    private sealed class PenaltyLoss(Tensor weights) : DistillationLoss
    {
        public override string Name => "penalty";

        public override ModelOutputs TeacherNeeds => ModelOutputs.None;

        public override Tensor Evaluate(LossInputs inputs) => weights.pow(2).sum();
    }
}

using MlNetDistill.Core;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Networks that do not end in one linear layer: their last layer is a fixed identity.</summary>
public sealed class LogitsNetworkTests
{
    private const ModelOutputs Both = ModelOutputs.Logits | ModelOutputs.Embedding;
    private static readonly NetworkInput Four = new(InputShape.Vector(4));

    [Test]
    public void The_embedding_is_the_logits_and_the_last_layer_has_nothing_to_train()
    {
        using var scope = NewDisposeScope();
        using var network = new WideAndDeepSpec().Build(Four, 3, seed: 1);
        Assert.That(network.ParameterCount, Is.EqualTo((4 * 3) + 3 + (4 * 8) + 8 + (8 * 3) + 3));
        Assert.That(network.Head.parameters(), Is.Empty);
        Assert.That(network.EmbeddingLength, Is.EqualTo(3));
        var output = network.Forward(rand(5, 4), Both);
        Assert.That(Near.Values(output.Embedding!), Is.EqualTo(Near.Values(output.Logits)));
        Near.Array(Near.Values(output.Embedding!.mm(network.Head.Weight.t()).Add(network.Head.Bias)), Near.Values(output.Logits), 0, 0, "last layer");
    }

    [Test]
    public void Training_leaves_the_identity_as_it_is()
    {
        using var set = Toy.Clouds();
        using var network = Runs.Student(new WideAndDeepSpec(), set);
        Runs.Train(network, set, Runs.Stage(10, optimizer: Optimizer.AdamW(0.02, weightDecay: 0.1)));
        Assert.That(Runs.Accuracy(network, set), Is.GreaterThan(0.95));
        Assert.That(Near.Values(network.Head.Weight), Is.EqualTo(new double[] { 1, 0, 0, 0, 1, 0, 0, 0, 1 }));
        Assert.That(Near.Values(network.Head.Bias), Is.All.Zero);
    }

    [Test]
    public void The_exported_network_gives_the_logits_as_embedding_and_the_probabilities()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var network = OnnxScoring.Perturbed(new WideAndDeepSpec(), Four, 3);
        var rows = OnnxScoring.Features(Four, 7);
        var logits = network.forward(rows).Logits;
        using var backbone = new OnnxScoring(OnnxExport.WriteBackbone(network, "Features", "logits"));
        Near.Array(backbone.Run("Features", rows, "logits"), Near.Values(logits), 1e-5, 0, "logits");
        using var classifier = new OnnxScoring(OnnxExport.WriteClassifier(network, "Features"));
        Near.Array(classifier.Run("Features", rows, "Score"), Near.Values(logits.softmax(1)), 1e-5, 0, "scores");
        Assert.That(classifier.Run("Features", rows, "Class"), Is.EqualTo(Near.Values(logits.argmax(1))));
    }

    [Test]
    public void A_body_that_writes_nothing_can_be_exported()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var rows = OnnxScoring.Features(Four, 7);
        using var network = new NothingSpec().Build(Four, 4, seed: 1);
        using var backbone = new OnnxScoring(OnnxExport.WriteBackbone(network, "Features", "logits"));
        Assert.That(backbone.Run("Features", rows, "logits"), Is.EqualTo(Near.Values(rows)));
        using var classifier = new OnnxScoring(OnnxExport.WriteClassifier(network, "Features"));
        Near.Array(classifier.Run("Features", rows, "Score"), Near.Values(rows.softmax(1)), 1e-5, 0, "scores");
    }

    [Test]
    public void As_many_logits_as_classes_are_planned() => Assert.That(
        () => new WideAndDeepSpec { Logits = 5 }.Build(Four, 3, seed: 1),
        Throws.ArgumentException.With.Message.EqualTo("The network's body ends in 5 logits, but 3 are wanted. Make the body end in one logit per class."));

    [TestCase(-1)]
    [TestCase(1)]
    public void A_tap_after_a_block_that_is_not_there_is_refused(int tap) => Assert.That(
        () => new WideAndDeepSpec { Tap = tap }.Build(Four, 3, seed: 1),
        Throws.ArgumentException.With.Message.EqualTo(FormattableString.Invariant($"The network taps the blocks [{tap}], but its body has 1 block, counted from 0.")));

    [Test]
    public void A_body_that_does_not_give_what_its_plan_says_is_refused()
    {
        using var scope = NewDisposeScope();
        using var network = new WideAndDeepSpec { Outputs = 2 }.Build(Four, 3, seed: 1);
        Assert.That(
            () => network.forward(rand(5, 4)),
            Throws.InvalidOperationException.With.Message.EqualTo("The network's body ends in a tensor of the shape 5×2, but its plan has an embedding of rows×3."));
    }

    /// <summary>A linear model and a perceptron whose logits are added.</summary>
    private sealed record WideAndDeepSpec : NetworkSpec
    {
        public int? Logits { get; init; }

        public int? Outputs { get; init; }

        public int? Tap { get; init; }

        public override string Name => "wide and deep";

        protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator)
        {
            var outputs = Outputs ?? logitCount;
            var wide = new Linear(shape.Length, outputs, generator);
            var deep = new Sequential(new Linear(shape.Length, 8, generator), new Relu(), new Linear(8, outputs, generator));
            return NetworkPlan.EndingInLogits([new ResidualAdd(deep, wide)], Tap is { } tap ? [tap] : [], Logits ?? logitCount);
        }
    }

    private sealed record NothingSpec : NetworkSpec
    {
        public override string Name => "nothing";

        protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator) => NetworkPlan.EndingInLogits([new Sequential()], [], logitCount);
    }
}

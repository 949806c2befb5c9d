using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>The exported model computes what the network computes.</summary>
public sealed class OnnxExportTests
{
    private static readonly InputShape Vector = InputShape.Vector(12);

    public static IEnumerable<TestCaseData> Cases()
    {
        TestCaseData Case(string name, NetworkSpec spec, NetworkInput input) => new TestCaseData(spec, input).SetArgDisplayNames(name);
        var resnet = NetworkSpec.ResNet(8, 4, 8, 16);
        yield return Case("MLP of floats", NetworkSpec.Mlp(9, 7), new NetworkInput(Vector));
        yield return Case("MLP of scaled floats", NetworkSpec.Mlp(9), new NetworkInput(Vector, Scaling: Scaling(12)));
        yield return Case("MLP of bytes", NetworkSpec.Mlp(9), new NetworkInput(Vector, true));
        yield return Case("MLP of scaled bytes", NetworkSpec.Mlp(9, 7), new NetworkInput(Vector, true, new InputStatistics([127], [64])));
        yield return Case("MLP of images", NetworkSpec.Mlp(9), new NetworkInput(InputShape.Image(3, 4, 5), true, Scaling(3)));
        yield return Case("linear", NetworkSpec.Mlp(), new NetworkInput(Vector, Scaling: Scaling(12)));
        yield return Case("linear of bytes", NetworkSpec.Mlp(), new NetworkInput(Vector, true));
        yield return Case("ResNet of grey floats", resnet, new NetworkInput(InputShape.Image(1, 8, 8)));
        yield return Case("ResNet of coloured floats", resnet, new NetworkInput(InputShape.Image(3, 9, 13), Scaling: Scaling(3)));
        yield return Case("ResNet of grey bytes", resnet, new NetworkInput(InputShape.Image(1, 28, 28), true, Scaling(1)));
        yield return Case("ResNet of coloured bytes", resnet, new NetworkInput(InputShape.Image(3, 16, 16), true, Scaling(3)));
        yield return Case("ResNet-14", NetworkSpec.ResNet(14, 4, 6, 8, 10), new NetworkInput(InputShape.Image(3, 12, 8)));
    }

    [TestCaseSource(nameof(Cases))]
    public void The_backbone_gives_the_embedding_of_the_network(NetworkSpec spec, NetworkInput input)
    {
        using var scope = NewDisposeScope();
        using var network = OnnxScoring.Perturbed(spec, input, 5);
        using var onnx = new OnnxScoring(OnnxExport.WriteBackbone(network, "Some Features", "embedding"));
        foreach (var rows in new[] { 1, 3, 64 })
        {
            var features = OnnxScoring.Features(input, rows);
            using var noGrad = no_grad();
            var expected = Near.Values(network.Forward(features, ModelOutputs.Embedding).Embedding);
            Near.Array(onnx.Run("Some Features", features, "embedding"), expected, 1e-5, 0, $"embedding of {rows} rows");
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void The_classifier_gives_the_probabilities_and_the_class_of_the_network(NetworkSpec spec, NetworkInput input)
    {
        using var scope = NewDisposeScope();
        using var network = OnnxScoring.Perturbed(spec, input, 5);
        using var onnx = new OnnxScoring(OnnxExport.WriteClassifier(network, "Features"));
        foreach (var rows in new[] { 1, 3, 64 })
        {
            var features = OnnxScoring.Features(input, rows);
            using var noGrad = no_grad();
            var logits = network.forward(features).Logits;
            Near.Array(onnx.Run("Features", features, "Score"), Near.Values(logits.softmax(1)), 1e-5, 0, $"scores of {rows} rows");
            Assert.That(onnx.Run("Features", features, "Class"), Is.EqualTo(Near.Values(logits.argmax(1))));
        }
    }

    [Test]
    public void The_edges_of_the_model_are_rows_of_the_features_own_type_and_a_free_batch()
    {
        using var network = OnnxScoring.Perturbed(NetworkSpec.Mlp(9), new NetworkInput(InputShape.Image(3, 4, 5), IsByte: true), 5);
        using var backbone = new OnnxScoring(OnnxExport.WriteBackbone(network, "Pixels", "e"));
        Assert.That(backbone.Inputs.Single().Key, Is.EqualTo("Pixels"));
        Assert.That(backbone.Inputs["Pixels"].ElementType, Is.EqualTo(typeof(byte)));
        Assert.That(backbone.Inputs["Pixels"].Dimensions, Is.EqualTo(new[] { -1, 60 }));
        Assert.That(backbone.Outputs.Single().Key, Is.EqualTo("e"));
        Assert.That(backbone.Outputs["e"].Dimensions, Is.EqualTo(new[] { -1, 9 }));

        using var classifier = new OnnxScoring(OnnxExport.WriteClassifier(network, "Pixels"));
        Assert.That(classifier.Outputs["Score"].Dimensions, Is.EqualTo(new[] { -1, 5 }));
        Assert.That((classifier.Outputs["Class"].ElementType, classifier.Outputs["Class"].Dimensions.Single()), Is.EqualTo((typeof(long), -1)));
    }

    [Test]
    public void Perturbed_statistics_make_a_difference()
    {
        // Else the export of batch normalisation would be checked with numbers that cannot tell.
        using var scope = NewDisposeScope();
        var input = new NetworkInput(InputShape.Image(1, 8, 8));
        var spec = NetworkSpec.ResNet(8, 4, 8, 16);
        using var plain = spec.Build(input, 5, seed: 4);
        using var perturbed = OnnxScoring.Perturbed(spec, input, 5);
        plain.eval();
        var features = OnnxScoring.Features(input, 2);
        var difference = plain.forward(features).Logits.sub(perturbed.forward(features).Logits).abs().max().item<float>();
        Assert.That(difference, Is.GreaterThan(0.01));
    }

    [Test]
    public void The_same_network_gives_the_same_bytes()
    {
        using var network = OnnxScoring.Perturbed(NetworkSpec.Mlp(9), new NetworkInput(Vector), 5);
        Assert.That(OnnxExport.WriteClassifier(network, "Features"), Is.EqualTo(OnnxExport.WriteClassifier(network, "Features")));
    }

    private static InputStatistics Scaling(int count) => new(
        [.. Enumerable.Range(0, count).Select(i => 0.5f + i)], [.. Enumerable.Range(0, count).Select(i => 2f + (0.5f * i))]);
}

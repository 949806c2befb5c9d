using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>
/// Every network for images, exported and run by ONNX Runtime: those of the literature in full size, and small ones on images so small that layers
/// keep the size that they halve otherwise. Up to fifty layers round differently here and there, hence 1e-4, as the trainer allows.
/// </summary>
public sealed class ImageNetworkExportTests
{
    private const double Tolerance = 1e-4;

    public static IEnumerable<TestCaseData> Cases()
    {
        foreach (var spec in Catalogue.Published)
        {
            yield return Case(spec, new NetworkInput(InputShape.Image(3, 32, 32)));
            yield return Case(spec, new NetworkInput(InputShape.Image(1, 28, 28)));
        }

        foreach (var spec in Catalogue.Small)
        {
            yield return Case(spec, new NetworkInput(InputShape.Image(3, 8, 8)));
            yield return Case(spec, new NetworkInput(InputShape.Image(1, 13, 19), IsByte: true, new InputStatistics([120], [70])));
        }

        static TestCaseData Case(NetworkSpec spec, NetworkInput input) =>
            new TestCaseData(spec, input).SetArgDisplayNames(spec.Name, $"{input.Shape} {(input.IsByte ? "bytes" : "floats")}");
    }

    [TestCaseSource(nameof(Cases))]
    public void The_exported_network_gives_the_probabilities_and_the_embedding_of_the_network(NetworkSpec spec, NetworkInput input)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var network = OnnxScoring.Perturbed(spec, input, 10);
        var images = OnnxScoring.Features(input, 3);
        var output = network.Forward(images, ModelOutputs.Logits | ModelOutputs.Embedding);
        var embedding = Near.Values(output.Embedding!);

        using (var backbone = new OnnxScoring(OnnxExport.WriteBackbone(network, "Features", "embedding")))
            Near.Array(backbone.Run("Features", images, "embedding"), embedding, Tolerance, 0, "embedding");
        using (var classifier = new OnnxScoring(OnnxExport.WriteClassifier(network, "Features")))
            Near.Array(classifier.Run("Features", images, "Score"), Near.Values(output.Logits.softmax(1)), 0, Tolerance, "scores");

        // Else the comparison could not tell images apart, and might hold whatever the first layers export.
        var rows = embedding.Chunk(network.EmbeddingLength).ToArray();
        Assert.That(rows[0].Zip(rows[1]).Max(p => Math.Abs(p.First - p.Second)), Is.GreaterThan(0.05 * embedding.Max(Math.Abs)));
    }
}

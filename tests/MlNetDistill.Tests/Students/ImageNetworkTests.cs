using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Students;

/// <summary>Every kind of network for images, from images of bytes to the saved model and back.</summary>
public sealed class ImageNetworkTests
{
    private static readonly NetworkSpec[] Specs =
    [
        NetworkSpec.WideResNet(10, 1), NetworkSpec.Vgg(8, 4, 6, 8, 10, 12), NetworkSpec.MobileNetV2(0.125), NetworkSpec.ShuffleNetV1(), NetworkSpec.ShuffleNetV2(0.5),
    ];

    public static IEnumerable<TestCaseData> Cases() => Specs.Select(spec => new TestCaseData(spec).SetArgDisplayNames(spec.Name));

    [TestCaseSource(nameof(Cases))]
    public void A_network_for_images_is_trained_saved_and_loaded(NetworkSpec spec)
    {
        var mlContext = new MLContext(seed: 1);
        var images = mlContext.View(ToyData.Images(60));
        // Forty steps: after a few, running statistics are still near their initial ones, under which deep networks tell no images apart.
        var options = ToyPipelines.Options(spec) with { FeatureColumnName = "Pixels", Epochs = 10, BatchSize = 15, Optimizer = Optimizer.AdamW(0.005) };
        var model = mlContext.Pipeline(options).Fit(images);
        var scored = model.Transform(images);
        Assert.That(ModelScores.ReadLines(scored).Distinct().Count(), Is.GreaterThan(50), "scores of different images should differ");
        Assert.That(ModelScores.LargestDifference(ModelScores.ReadScores(scored), ModelScores.ComputeWithNetwork(model.LastTransformer, images)), Is.LessThanOrEqualTo(1e-4));
        Assert.That(ModelScores.ReadLines(mlContext.Reloaded(model, images.Schema).Transform(images)), Is.EqualTo(ModelScores.ReadLines(scored)));
    }
}

using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;
using TorchSharp;
using static Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality;

namespace MlNetDistill.Tests.Training;

public sealed class InitialWeightsTests
{
    // One step of next to nothing: what comes out is what it started from.
    private static readonly DistillationOptions Still = ToyPipelines.Options() with { Epochs = 1, Optimizer = Optimizer.Sgd(1e-12), Seed = 2 };

    private readonly MLContext _mlContext = new(seed: 1);

    [Test]
    public void A_student_that_starts_at_a_network_is_that_network()
    {
        var given = ToyModels.Points.LastTransformer.Model;

        var student = Fit(Still with { InitialWeights = InitialWeights.From(given) });

        Assert.That(LargestDifference(student, given), Is.LessThan(1e-6));
    }

    [Test]
    public void A_share_of_one_leaves_nothing_of_the_given_network()
    {
        var given = ToyModels.Points.LastTransformer.Model;

        var fresh = Fit(Still);
        var student = Fit(Still with { InitialWeights = InitialWeights.From(given, randomShare: 1) });

        Assert.That(LargestDifference(student, fresh), Is.LessThan(1e-9));
    }

    [Test]
    public void A_share_between_mixes_every_weight_in_proportion()
    {
        var given = ToyModels.Points.LastTransformer.Model;
        var fresh = Fit(Still);

        var student = Fit(Still with { InitialWeights = InitialWeights.From(given, randomShare: 0.25) });

        var (own, other, mixed) = (State(fresh), State(given), State(student));
        foreach (var (name, values) in mixed)
            Assert.That(values, Is.EqualTo(own[name].Zip(other[name], (f, g) => (0.25f * f) + (0.75f * g))).Within(1e-6f), name);
    }

    [Test]
    public void Training_goes_on_from_them()
    {
        var given = ToyModels.Points.LastTransformer.Model;
        var options = ToyPipelines.Options() with { Epochs = 1 };

        var fresh = Fit(options).History[0].Losses["crossEntropy"];
        var further = Fit(options with { InitialWeights = InitialWeights.From(given) }).History[0].Losses["crossEntropy"];

        Assert.That(further, Is.LessThan(0.7 * fresh));
    }

    [Test]
    public void Mixed_batch_normalisations_have_the_statistics_of_the_training_rows()
    {
        var rows = _mlContext.View(ToyData.Images());
        var given = ToyModels.Images.LastTransformer.Model;
        var options = ToyPipelines.Options(ToyPipelines.SmallResNet) with
        {
            FeatureColumnName = "Pixels",
            Epochs = 1,
            BatchSize = 120,
            Optimizer = Optimizer.Sgd(1e-12),
            InitialWeights = InitialWeights.From(given, randomShare: 0.5),
        };

        using var network = _mlContext.Pipeline(options).Fit(rows).LastTransformer.Model.ToNetwork();

        // In training mode a batch of all rows uses its own statistics; with the same ones at hand eval mode must say the same (but for N against N - 1 in
        // the variance).
        using var scope = torch.NewDisposeScope();
        using var noGrad = torch.no_grad();
        var pixels = torch.tensor(ToyData.Images().SelectMany(image => image.Pixels).ToArray(), [120, .. network.Input.Shape.Dimensions], torch.uint8);
        var kept = network.forward(pixels).Logits.clone();
        network.train();
        var measured = network.forward(pixels).Logits.clone();
        Assert.That(kept.sub(measured).abs().max().item<float>(), Is.LessThan(0.05f * measured.abs().max().item<float>()));
    }

    [Test]
    public void Another_network_and_a_share_that_is_none_are_refused_in_one_message()
    {
        var given = ToyModels.Points.LastTransformer.Model;
        var options = ToyPipelines.Options(NetworkSpec.Mlp(9)) with { InitialWeights = InitialWeights.From(given, randomShare: 1.5) };

        Assert.That(
            () => _mlContext.MulticlassClassification.Trainers.Distill(options),
            Throws.InstanceOf<ArgumentOutOfRangeException>()
                .With.Message.Contains("must be in [0, 1]; was 1.5").And.Message.Contains("InitialWeights are of a MLP 8").And.Message.Contains("the Student is a MLP 9"));
    }

    [Test]
    public void A_network_of_other_classes_is_refused_before_anything_is_trained() => Assert.That(
        () => _mlContext.Pipeline(Still with { InitialWeights = InitialWeights.From(ToyModels.Points.LastTransformer.Model) }).Fit(_mlContext.View(ToyData.Points(classes: 2))),
        Throws.InvalidOperationException.With.Message.Contains("a network of 3 classes; the label column has 2"));

    [Test]
    public void A_network_whose_classes_are_in_another_order_is_refused()
    {
        var given = InitialWeights.From(ToyModels.Points.LastTransformer.Model);
        var trainer = _mlContext.MulticlassClassification.Trainers.Distill(Still with { InitialWeights = given });
        var pipeline = _mlContext.Transforms.Conversion.MapValueToKey("Class", "Label", keyOrdinality: ByValue).Append(trainer);

        Assert.That(
            () => pipeline.Fit(_mlContext.View(ToyData.Points())),
            Throws.InvalidOperationException.With.Message.Contains(
                "classes are 'bee', 'cat', 'ant', in this order; those of the label column are 'ant', 'bee', 'cat'."));
    }

    private DistilledStudent Fit(DistillationOptions options) => _mlContext.Pipeline(options).Fit(_mlContext.View(ToyData.Points())).LastTransformer.Model;

    private static float LargestDifference(DistilledStudent a, DistilledStudent b)
    {
        var (some, others) = (State(a), State(b));
        return some.Max(entry => entry.Value.Zip(others[entry.Key], (x, y) => Math.Abs(x - y)).Max());
    }

    private static Dictionary<string, float[]> State(DistilledStudent student)
    {
        using var network = student.ToNetwork();
        return network.state_dict().ToDictionary(entry => entry.Key, entry => entry.Value.to(torch.float32).data<float>().ToArray());
    }
}

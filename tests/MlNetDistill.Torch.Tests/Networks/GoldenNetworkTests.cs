using System.Text.Json;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>The networks for images against the reference implementation: counts, shapes, order, and the numbers that come out.</summary>
public sealed class GoldenNetworkTests
{
    private static readonly string[] Models =
    [
        "resnet8", "resnet14", "resnet20", "resnet32", "resnet44", "resnet56", "resnet110", "resnet8x4", "resnet32x4",
        "wrn_16_1", "wrn_16_2", "wrn_40_1", "wrn_40_2",
        "vgg8", "vgg11", "vgg13", "vgg16", "vgg19",
        "MobileNetV2", "ShuffleV1", "ShuffleV2",
    ];

    /// <summary>Networks of the file that this library does not have.</summary>
    private static readonly string[] Others = ["ResNet18", "ResNet50", "PreResNet20", "PreResNet56"];

    [TestCaseSource(nameof(Models))]
    public void The_parameter_count_equals_the_reference(string model)
    {
        var record = Golden.Record("models.json", "model", model);
        using var network = GoldenNetwork.Spec(model).Build(new NetworkInput(InputShape.Image(3, 32, 32)), 100, seed: 1);
        Assert.That(network.ParameterCount, Is.EqualTo(record.GetProperty("params").GetInt64()));
        Assert.That(GoldenNetwork.Parameters(network).Count(), Is.EqualTo(record.GetProperty("param_tensors").GetInt32()));
        Assert.That(GoldenNetwork.RunningValues(network).Sum(b => b.numel()), Is.EqualTo(record.GetProperty("bn_running_values").GetInt64()));
    }

    [Test]
    public void Every_network_of_the_reference_file_is_here_or_known_to_be_missing() =>
        Assert.That(Golden.Records("models.json").Select(r => r.GetProperty("model").GetString()!), Is.EquivalentTo(Models.Concat(Others)));

    [Test]
    public void Parameters_have_the_shapes_of_the_reference_in_its_order()
    {
        var records = Golden.Records("models.json").Where(r => r.TryGetProperty("param_shapes", out _) && !IsOther(r)).ToArray();
        Assert.That(records, Has.Length.EqualTo(6));
        foreach (var record in records)
        {
            var model = record.GetProperty("model").GetString()!;
            var expected = record.GetProperty("param_shapes").EnumerateArray().Select(p => string.Join('×', Golden.Integers(p[1])));
            using var network = GoldenNetwork.Spec(model).Build(new NetworkInput(InputShape.Image(3, 32, 32)), 100, seed: 1);
            Assert.That(GoldenNetwork.Parameters(network).Select(p => string.Join('×', p.Value.shape)), Is.EqualTo(expected), model);
        }
    }

    [TestCaseSource(nameof(Models))]
    public void Logits_embedding_and_taps_equal_the_reference_on_its_deterministic_weights(string model)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var record = Golden.Record("models.json", "model", model);
        var fingerprint = record.GetProperty("fingerprint");
        using var network = GoldenNetwork.Filled(record);

        var output = network.Forward(GoldenNetwork.Input(), ModelOutputs.Logits | ModelOutputs.Embedding | ModelOutputs.StageFeatures);

        var taps = record.GetProperty("taps");
        var logits = Near.Values(output.Logits);
        Assert.That(output.StageFeatures.Select(t => t.shape[1..]), Is.EqualTo(taps.GetProperty("feats").EnumerateArray().Select(Golden.Integers)));
        Assert.That(output.Embedding.shape[1..], Is.EqualTo(Golden.Integers(taps.GetProperty("pooled_feat"))));
        Assert.That(logits, Has.Length.EqualTo(200));
        Same(logits[..8], fingerprint, "logits0_first8");
        Same(logits[100..108], fingerprint, "logits1_first8");
        Near.Value(logits.Sum(), Golden.Number(fingerprint.GetProperty("logits_sum")), 0, 1e-9 * Length(output.Logits), "sum of the logits");
        Near.Value(Length(output.Logits), Golden.Number(fingerprint.GetProperty("logits_l2")), 1e-9, 0, "length of the logits");
        Near.Value(Length(output.Embedding), Golden.Number(fingerprint.GetProperty("pooled_l2")), 1e-9, 0, "length of the embedding");
        foreach (var (tap, length) in output.StageFeatures.Zip(Golden.Numbers(fingerprint.GetProperty("tap_l2"))))
            Near.Value(Length(tap), length, 1e-9, 0, "length of a tap");
    }

    private static bool IsOther(JsonElement record) => Others.Contains(record.GetProperty("model").GetString());

    private static void Same(double[] actual, JsonElement fingerprint, string name) =>
        Near.Array(actual, Golden.Numbers(fingerprint.GetProperty(name)), 1e-9, 0, name);

    private static double Length(Tensor value) => Math.Sqrt(Near.Values(value).Sum(v => v * v));
}

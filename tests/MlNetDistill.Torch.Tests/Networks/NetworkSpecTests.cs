using System.Text.Json;
using MlNetDistill.Core;
using MlNetDistill.Networks;

namespace MlNetDistill.Tests;

public sealed class NetworkSpecTests
{
    private static readonly NetworkSpec[] Specs =
    [
        NetworkSpec.Projected(NetworkSpec.Mlp(8) with { InputScaling = InputScaling.Standardize }, 32),
        NetworkSpec.Projected(NetworkSpec.ResNet(8, InputShape.Image(1, 28, 28), 8, 16, 32), 64, 4),
        NetworkSpec.Mlp(),
        NetworkSpec.Mlp(64, 32),
        NetworkSpec.Mlp(8) with { InputScaling = InputScaling.Standardize },
        NetworkSpec.ResNet(20),
        NetworkSpec.ResNet(8, InputShape.Image(1, 28, 28), 8, 16, 32) with { InputScaling = InputScaling.None },
        NetworkSpec.WideResNet(16, 2),
        NetworkSpec.WideResNet(10, 1, InputShape.Image(1, 28, 28)) with { InputScaling = InputScaling.None },
        NetworkSpec.Vgg(8),
        NetworkSpec.Vgg(19, InputShape.Image(1, 28, 28), 8, 16, 32, 64, 64),
        NetworkSpec.MobileNetV2(),
        NetworkSpec.MobileNetV2(1.4, InputShape.Image(1, 28, 28)),
        NetworkSpec.ShuffleNetV1(),
        NetworkSpec.ShuffleNetV1(InputShape.Image(1, 28, 28)),
        NetworkSpec.ShuffleNetV2(),
        NetworkSpec.ShuffleNetV2(0.5, InputShape.Image(1, 28, 28)),
    ];

    [TestCaseSource(nameof(Specs))]
    public void A_specification_survives_JSON(NetworkSpec spec)
    {
        var read = NetworkSpec.FromJson(spec.ToJson());
        Assert.That(read, Is.EqualTo(spec));
        Assert.That(read.GetHashCode(), Is.EqualTo(spec.GetHashCode()));
        Assert.That(read.Image, Is.EqualTo(spec.Image));
        Assert.That(read.InputScaling, Is.EqualTo(spec.InputScaling));
    }

    [Test]
    public void The_JSON_names_the_network_and_holds_its_shape()
    {
        using var json = JsonDocument.Parse(NetworkSpec.ResNet(8, InputShape.Image(1, 28, 20), 8, 16, 32).ToJson());
        Assert.That(json.RootElement.GetProperty("network").GetString(), Is.EqualTo("resnet"));
        Assert.That(json.RootElement.GetProperty("Depth").GetInt32(), Is.EqualTo(8));
        Assert.That(Golden.Integers(json.RootElement.GetProperty("Widths")), Is.EqualTo(new[] { 8, 8, 16, 32 }));
        Assert.That(json.RootElement.GetProperty("ImageShape").GetProperty("Height").GetInt32(), Is.EqualTo(28));
    }

    [TestCaseSource(nameof(Specs))]
    public void The_JSON_names_the_kind_of_network(NetworkSpec spec)
    {
        using var json = JsonDocument.Parse(spec.ToJson());
        Assert.That(json.RootElement.GetProperty("network").GetString(), Is.EqualTo(spec.GetType().Name[..^"Spec".Length].ToLowerInvariant()));
    }

    [Test]
    public void Names_are_short_and_tell_networks_apart() => Assert.That(Specs[^10..].Select(s => s.Name), Is.EqualTo(new[]
    {
        "WRN-16-2", "WRN-10-1", "VGG-8 64/128/256/512/512", "VGG-19 8/16/32/64/64", "MobileNetV2 0.5x", "MobileNetV2 1.4x",
        "ShuffleNetV1", "ShuffleNetV1", "ShuffleNetV2 1x", "ShuffleNetV2 0.5x",
    }));

    [Test]
    public void The_JSON_of_a_network_of_ones_own_is_a_description() =>
        Assert.That(new OwnSpec { InputScaling = InputScaling.Standardize }.ToJson(), Is.EqualTo("""{"InputScaling":"Standardize"}"""));

    [Test]
    public void A_block_may_hand_its_input_on_as_it_is()
    {
        using var network = new OwnSpec().Build(new NetworkInput(InputShape.Vector(3)), 2, seed: 1);
        using var rows = TorchSharp.torch.ones(4, 3);
        using var logits = network.forward(rows).Logits;
        Assert.That(logits.shape, Is.EqualTo(new long[] { 4, 2 }));
    }

    [TestCase("null")]
    [TestCase("""{"network":"transformer"}""")]
    public void JSON_that_describes_no_known_network_is_refused(string json) =>
        Assert.That(() => NetworkSpec.FromJson(json), Throws.InstanceOf<JsonException>());

    [Test]
    public void Specifications_differ_when_any_part_differs()
    {
        Assert.That(NetworkSpec.Mlp(64, 32), Is.Not.EqualTo(NetworkSpec.Mlp(64, 33)));
        Assert.That(NetworkSpec.Mlp(64), Is.Not.EqualTo(NetworkSpec.Mlp(64) with { InputScaling = InputScaling.None }));
        Assert.That(NetworkSpec.ResNet(8), Is.Not.EqualTo(NetworkSpec.ResNet(14)));
        Assert.That(NetworkSpec.ResNet(8), Is.Not.EqualTo(NetworkSpec.ResNet(8, InputShape.Image(3, 32, 32))));
        Assert.That(NetworkSpec.Vgg(8), Is.Not.EqualTo(NetworkSpec.Vgg(8, 64, 128, 256, 512, 513)));
        Assert.That(NetworkSpec.Vgg(8), Is.Not.EqualTo(NetworkSpec.Vgg(8, InputShape.Image(3, 32, 32))));
        Assert.That(NetworkSpec.MobileNetV2(0.5), Is.Not.EqualTo(NetworkSpec.MobileNetV2(1)));
    }

    [Test]
    public void Three_widths_give_the_stem_the_width_of_the_first_stage() =>
        Assert.That(NetworkSpec.ResNet(8, 4, 8, 16), Is.EqualTo(NetworkSpec.ResNet(8, 4, 4, 8, 16)));

    [Test]
    public void A_network_takes_its_widths_with_an_image_shape_or_without()
    {
        var image = InputShape.Image(1, 28, 28);
        Assert.That(NetworkSpec.ResNet(8, image, 4, 8, 16), Is.EqualTo(new ResNetSpec(8, [4, 4, 8, 16]) { ImageShape = image }));
        Assert.That(NetworkSpec.ResNet(8, image), Is.EqualTo(new ResNetSpec(8, [16, 16, 32, 64]) { ImageShape = image }));
        Assert.That(NetworkSpec.Vgg(8, 4, 6, 8, 10, 12), Is.EqualTo(new VggSpec(8, [4, 6, 8, 10, 12])));
        Assert.That(NetworkSpec.Vgg(8, image, 4, 6, 8, 10, 12), Is.EqualTo(new VggSpec(8, [4, 6, 8, 10, 12]) { ImageShape = image }));
    }

    [TestCase(7, "The depth of a ResNet must be 6n+2 (8, 14, 20, 32, …); was 7.")]
    [TestCase(2, "The depth of a ResNet must be 6n+2 (8, 14, 20, 32, …); was 2.")]
    public void A_depth_that_is_not_6n_plus_2_is_a_fault(int depth, string fault) =>
        Assert.That(NetworkSpec.ResNet(depth).Validate(), Is.EqualTo(new[] { fault }));

    [TestCase(4, 1, "The depth of a wide ResNet must be 6n+4 (10, 16, 22, 28, 40, …); was 4.")]
    [TestCase(20, 1, "The depth of a wide ResNet must be 6n+4 (10, 16, 22, 28, 40, …); was 20.")]
    [TestCase(16, 0, "The widening factor of a wide ResNet must be at least 1; was 0.")]
    public void A_wide_ResNet_has_a_depth_of_6n_plus_4_and_a_factor(int depth, int widen, string fault) =>
        Assert.That(NetworkSpec.WideResNet(depth, widen).Validate(), Is.EqualTo(new[] { fault }));

    [Test]
    public void A_VGG_has_one_of_five_depths_and_five_widths() => Assert.That(NetworkSpec.Vgg(12, 64, 0).Validate(), Is.EqualTo(new[]
    {
        "The depth of a VGG must be 8, 11, 13, 16 or 19; was 12.",
        "A VGG takes five widths of at least 1; were [64, 0].",
    }));

    [TestCase(0.06)]
    [TestCase(17)]
    [TestCase(double.NaN)]
    public void A_MobileNetV2_has_a_width_that_leaves_every_layer_a_channel(double width) => Assert.That(
        NetworkSpec.MobileNetV2(width).Validate(), Is.EqualTo(new[] { FormattableString.Invariant($"The width of a MobileNetV2 must be in [0.0625, 16]; was {width}.") }));

    [TestCase(0.75)]
    [TestCase(double.NaN)]
    public void A_ShuffleNetV2_has_one_of_four_sizes(double size) => Assert.That(
        NetworkSpec.ShuffleNetV2(size).Validate(), Is.EqualTo(new[] { FormattableString.Invariant($"The size of a ShuffleNetV2 must be 0.5, 1, 1.5 or 2; was {size}.") }));

    [Test]
    public void A_network_with_faults_is_not_built() => Assert.That(
        () => NetworkSpec.Vgg(12, InputShape.Image(2, 32, 32)).Build(new NetworkInput(InputShape.Image(2, 32, 32)), 2, seed: 1),
        Throws.ArgumentException.With.Message.EqualTo(
            "The depth of a VGG must be 8, 11, 13, 16 or 19; was 12." + Environment.NewLine + "A VGG reads images of 1 or 3 channels; these have 2 (2×32×32)."));

    [Test]
    public void Every_fault_is_named_at_once() => Assert.That(NetworkSpec.ResNet(9, InputShape.Image(2, 32, 32), 16, 32).Validate(), Is.EqualTo(new[]
    {
        "The depth of a ResNet must be 6n+2 (8, 14, 20, 32, …); was 9.",
        "A ResNet takes four widths of at least 1 (stem and three stages); were [16, 32].",
        "A ResNet reads images of 1 or 3 channels; these have 2 (2×32×32).",
    }));

    [Test]
    public void A_hidden_layer_without_units_is_a_fault() => Assert.That(
        NetworkSpec.Mlp(8, 0).Validate(), Is.EqualTo(new[] { "A hidden layer must have at least 1 unit; one has 0." }));

    [Test]
    public void A_good_specification_has_no_faults() => Assert.That(Specs.SelectMany(s => s.Validate()), Is.Empty);

    [TestCase(1, 7, 8, "A ResNet reads images of at least 8×8 pixels; these are 1×7×8.")]
    [TestCase(3, 8, 7, "A ResNet reads images of at least 8×8 pixels; these are 3×8×7.")]
    [TestCase(4, 8, 8, "A ResNet reads images of 1 or 3 channels; these have 4 (4×8×8).")]
    public void A_ResNet_refuses_images_it_cannot_read(int channels, int height, int width, string message) => Assert.That(
        () => NetworkSpec.ResNet(8).Build(new NetworkInput(InputShape.Image(channels, height, width)), 2, seed: 1),
        Throws.ArgumentException.With.Message.EqualTo(message));

    [Test]
    public void A_ResNet_refuses_vectors() => Assert.That(
        () => NetworkSpec.ResNet(8).Build(new NetworkInput(InputShape.Vector(64)), 2, seed: 1),
        Throws.ArgumentException.With.Message.EqualTo(
            "A ResNet reads images; the rows are a vector of 64. Give the image shape (channels, height, width)."));

    [TestCaseSource(typeof(Catalogue), nameof(Catalogue.Small))]
    public void An_image_shape_that_the_network_cannot_read_is_a_fault(NetworkSpec spec)
    {
        var faulty = ((ImageNetworkSpec)spec) with { ImageShape = InputShape.Image(5, 8, 8) };
        Assert.That(faulty.Validate().Single(), Does.EndWith(" reads images of 1 or 3 channels; these have 5 (5×8×8)."));
    }

    [Test]
    public void A_shape_has_dimensions_of_at_least_one()
    {
        Assert.That(() => InputShape.Vector(0), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => InputShape.Image(1, 0, 8), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(InputShape.Image(3, 8, 9).Length, Is.EqualTo(216));
    }

    private sealed record OwnSpec : NetworkSpec
    {
        public override string Name => "own";

        protected override NetworkPlan Plan(InputShape shape, int logitCount, TorchSharp.torch.Generator generator) =>
            new([new Same(), new Relu()], [0], shape.Length);
    }

    private sealed class Same : Block
    {
        public override TorchSharp.torch.Tensor forward(TorchSharp.torch.Tensor input) => input;

        public override string Emit(OnnxGraph graph, string input) => input;
    }
}

using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Blocks on numbers small enough to follow.</summary>
public sealed class BlockTests
{
    private readonly Generator _generator = new(3);
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    [OneTimeTearDown]
    public void DisposeGenerator() => _generator.Dispose();

    [Test]
    public void A_shuffle_deals_the_channels_of_each_group_out_among_all()
    {
        // Groups 0 1 | 2 3 | 4 5, read column by column.
        Assert.That(Values(new ChannelShuffle(6, 3), Channels(6)), Is.EqualTo(new double[] { 0, 2, 4, 1, 3, 5 }));
        Assert.That(Values(new ChannelShuffle(6, 2), Channels(6)), Is.EqualTo(new double[] { 0, 3, 1, 4, 2, 5 }));
        Assert.That(Values(new ChannelShuffle(6, 1), Channels(6)), Is.EqualTo(new double[] { 0, 1, 2, 3, 4, 5 }));
    }

    [Test]
    public void A_range_takes_its_channels_and_a_concatenation_puts_them_one_after_the_other()
    {
        var swapped = new Concatenation(new ChannelRange(3, 2), new ChannelRange(0, 3));
        Assert.That(Values(swapped, Channels(5)), Is.EqualTo(new double[] { 3, 4, 0, 1, 2 }));
    }

    [Test]
    public void A_sum_adds_its_shortcut_or_else_its_input()
    {
        Assert.That(Values(new ResidualAdd(new Relu()), tensor(new[] { -1f, 2f })), Is.EqualTo(new double[] { -1, 4 }));
        Assert.That(Values(new ResidualAdd(new Relu(), new Relu()), tensor(new[] { -1f, 2f })), Is.EqualTo(new double[] { 0, 4 }));
    }

    [Test]
    public void A_series_is_its_blocks_one_after_another_and_nothing_is_the_input_itself()
    {
        Assert.That(Values(new Sequential(new ChannelRange(1, 3), new ChannelRange(1, 1)), Channels(5)), Is.EqualTo(new double[] { 2 }));
        using var nothing = new Sequential();
        var input = Channels(2);
        Assert.That(nothing.forward(input), Is.SameAs(input));
    }

    [Test]
    public void An_average_counts_the_zeros_around_the_image_and_a_maximum_drops_what_is_left_over()
    {
        var image = tensor(new float[] { 9, 18, 27, 36, 45, 54, 63, 72, 81 }).reshape(1, 1, 3, 3);
        Assert.That(Values(new AveragePool(3, 2), image), Is.EqualTo(new double[] { 12, 16, 24, 28 }));
        Assert.That(Values(new MaxPool(2), image), Is.EqualTo(new double[] { 45 }));
    }

    [Test]
    public void A_depthwise_convolution_has_a_kernel_and_a_bias_for_each_channel()
    {
        using var convolution = new Convolution(4, 4, 3, 1, _generator, groups: 4, bias: true);
        var (kernel, bias) = (convolution.parameters().First(), convolution.parameters().Last());
        Assert.That(kernel.shape, Is.EqualTo(new long[] { 4, 1, 3, 3 }));
        Assert.That(bias.shape, Is.EqualTo(new long[] { 4 }));
        // A kernel sees nine values, whatever the number of channels.
        Assert.That(Near.Values(kernel).Concat(Near.Values(bias)).Max(Math.Abs), Is.LessThanOrEqualTo(1 / 3.0).And.GreaterThan(0.3));
        var outputs = Near.Values(convolution.forward(zeros(1, 4, 2, 2)).mean([0, 2, 3]));
        Near.Array(outputs, Near.Values(bias), 1e-6, 0, "a black image gives the biases");
    }

    [Test]
    public void A_convolution_and_its_gradients_are_the_same_for_both_orders_of_the_input_in_memory(
        [Values(1, 3, 5)] int kernel, [Values(1, 2)] int stride, [Values(1, 4, 12)] int inputs, [Values(4, 8, 20)] int outputs, [Values] bool isGrouped)
    {
        var groups = isGrouped && inputs > 1 ? 4 : 1;
        using var convolution = new Convolution(inputs, outputs, kernel, stride, _generator, groups, bias: true);
        var (weight, bias) = (convolution.parameters().First(), convolution.parameters().Last());
        var rows = rand([3, inputs, 8, 6], generator: _generator);
        var channelsLast = rows.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);
        var expectedLeaves = new[] { rows, weight, bias }.Select(value => value.detach().to(float64).requires_grad_()).ToArray();
        long[] strides = [stride, stride], paddings = [kernel / 2, kernel / 2];
        var expected = nn.functional.conv2d(expectedLeaves[0], expectedLeaves[1], expectedLeaves[2], strides, paddings, groups: groups);
        var factors = rand(expected.shape, generator: _generator);
        expected.mul(factors).sum().backward();
        foreach (var input in new[] { rows, channelsLast })
        {
            convolution.zero_grad();
            var leaf = input.detach().requires_grad_();
            var actual = convolution.forward(leaf);
            actual.mul(factors).sum().backward();
            Near.Array(Near.Values(actual), Near.Values(expected), 1e-5, 1e-5, "output");
            foreach (var (found, wanted) in new[] { leaf, weight, bias }.Zip(expectedLeaves))
                Near.Array(Near.Values(found.grad!), Near.Values(wanted.grad!), 1e-4, 1e-5, $"gradient of {wanted.shape.Length} dimensions");
        }
    }

    [Test]
    public void A_module_after_a_convolution_reads_its_map_in_the_usual_order()
    {
        using var network = new Sequential(new Convolution(3, 8, 3, 1, _generator), new ModuleBlock(new ViewedAsRows(), (_, _) => throw new NotSupportedException()));
        Assert.That(network.forward(rand(2, 3, 4, 4)).shape, Is.EqualTo(new long[] { 2, 8 * 4 * 4 }));
    }

    [Test]
    public void A_block_of_a_user_reads_maps_in_the_usual_order_wherever_it_is()
    {
        Sequential[] networks =
        [
            new(Convolve(), new InUsualOrder()),
            new(Convolve(), new Sequential(new InUsualOrder())),
            new(Convolve(), new ResidualAdd(new InUsualOrder(), new InUsualOrder())),
            new(Convolve(), new Concatenation(new InUsualOrder(), new InUsualOrder())),
        ];
        foreach (var network in networks)
        {
            using (network)
                Assert.That(() => network.forward(rand(2, 3, 8, 8)), Throws.Nothing);
        }

        using var whole = new Network(new NetworkInput(InputShape.Image(3, 8, 8)), new NetworkPlan([Convolve(), new InUsualOrder(), new GlobalAveragePool()], [], 8), 2, _generator);
        Assert.That(() => whole.Forward(rand(2, 3, 8, 8), ModelOutputs.Logits), Throws.Nothing);

        Convolution Convolve() => new(3, 8, 3, 1, _generator);
    }

    [TestCase(4, 6, 3)]
    [TestCase(6, 4, 3)]
    [TestCase(4, 4, 0)]
    public void Groups_that_do_not_divide_the_channels_are_refused(int inputs, int outputs, int groups) => Assert.That(
        () => new Convolution(inputs, outputs, 1, 1, _generator, groups),
        Throws.ArgumentException.With.Message.EqualTo(
            $"The groups of a convolution must divide its channels; {groups} groups, {inputs} to {outputs} channels."));

    [Test]
    public void A_shuffle_of_groups_that_do_not_divide_the_channels_is_refused() => Assert.That(
        () => new ChannelShuffle(5, 2),
        Throws.ArgumentException.With.Message.EqualTo("The groups of a channel shuffle must divide its channels; 2 groups, 5 channels."));

    [Test]
    public void A_normalisation_of_no_channel_is_refused() => Assert.That(
        () => new BatchNormalization(0), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("'channels'"));

    private static Tensor Channels(int count) => tensor(Enumerable.Range(0, count).Select(c => (float)c).ToArray()).reshape(1, count, 1, 1);

    private static double[] Values(Block block, Tensor input)
    {
        using (block)
            return Near.Values(block.forward(input));
    }

    private sealed class InUsualOrder : Block
    {
        public override Tensor forward(Tensor input) => input.view(input.shape).is_contiguous() ? input.alias() : throw new InvalidOperationException("The channels are last.");

        public override string Emit(OnnxGraph graph, string input) => input;
    }

    private sealed class ViewedAsRows() : nn.Module<Tensor, Tensor>("rows")
    {
        public override Tensor forward(Tensor input) => input.view(input.shape[0], -1);
    }
}

using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>
/// ShuffleNetV2 (Ma et al. 2018) in the form distillation on CIFAR uses: a 1×1 stem of 24 channels, three stages of 4, 8 and 4 units, each starting at
/// stride 2, a 1×1 convolution, global average pooling. Taps: after the stem and after each stage.
/// </summary>
/// <param name="Size">The paper's size: 0.5, 1, 1.5 or 2.</param>
public sealed record ShuffleNetV2Spec(double Size) : ImageNetworkSpec
{
    private const int StemWidth = 24;

    /// <summary>Channels of the stages and of the last convolution: the paper's table 5.</summary>
    private static readonly Dictionary<double, int[]> Widths = new()
    {
        [0.5] = [48, 96, 192, 1024],
        [1] = [116, 232, 464, 1024],
        [1.5] = [176, 352, 704, 1024],
        [2] = [244, 488, 976, 2048],
    };

    private static readonly int[] Units = [4, 8, 4];

    /// <inheritdoc/>
    public override string Name => FormattableString.Invariant($"ShuffleNetV2 {Size}x");

    private protected override string Kind => "A ShuffleNetV2";

    /// <inheritdoc/>
    public override IEnumerable<string> Validate() =>
    [
        .. Faults.Unless(Widths.ContainsKey(Size), $"The size of a ShuffleNetV2 must be 0.5, 1, 1.5 or 2; was {Size}."),
        .. base.Validate(),
    ];

    /// <inheritdoc/>
    protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator)
    {
        var side = new ImageDownsampling(shape);
        List<Block> body = [.. Convolve(shape.Channels, StemWidth, 1, 1, generator)];
        List<int> taps = [body.Count - 1];
        var width = StemWidth;
        for (var stage = 0; stage < 3; stage++)
        {
            var next = Widths[Size][stage];
            body.Add(FirstUnit(width, next, side.NextStride(), generator));
            for (var unit = 1; unit < Units[stage]; unit++)
                body.Add(Unit(next, generator));
            width = next;
            taps.Add(body.Count - 1);
        }

        var embedding = Widths[Size][3];
        body.AddRange([.. Convolve(width, embedding, 1, 1, generator), new GlobalAveragePool()]);
        return new NetworkPlan(body, taps, embedding);
    }

    /// <summary>Half of the channels stay as they are; the others pass three convolutions.</summary>
    private static Sequential Unit(int width, Generator generator)
    {
        var half = width / 2;
        return new Sequential(
            new Concatenation(new ChannelRange(0, half), new Sequential(new ChannelRange(half, half), Branch(half, half, 1, generator))),
            new ChannelShuffle(width, 2));
    }

    /// <summary>The first unit of a stage halves the map in both of its branches and so doubles the channels.</summary>
    private static Sequential FirstUnit(int inputs, int outputs, int stride, Generator generator)
    {
        var half = outputs / 2;
        var left = new Sequential([.. Depthwise(inputs, stride, generator), .. Convolve(inputs, half, 1, 1, generator)]);
        return new Sequential(new Concatenation(left, Branch(inputs, half, stride, generator)), new ChannelShuffle(outputs, 2));
    }

    private static Sequential Branch(int inputs, int outputs, int stride, Generator generator) => new(
        [.. Convolve(inputs, outputs, 1, 1, generator), .. Depthwise(outputs, stride, generator), .. Convolve(outputs, outputs, 1, 1, generator)]);

    private static Block[] Depthwise(int channels, int stride, Generator generator) =>
        [new Convolution(channels, channels, 3, stride, generator, groups: channels), new BatchNormalization(channels)];
}

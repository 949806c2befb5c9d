using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>
/// ShuffleNet (Zhang et al. 2018) with three groups, in the form distillation on CIFAR uses: a 1×1 stem of 24 channels, three stages of 4, 8 and 4
/// units with 240, 480 and 960 channels, each stage starting at stride 2, global average pooling. Taps: after the stem and after each stage.
/// </summary>
public sealed record ShuffleNetV1Spec : ImageNetworkSpec
{
    private const int Groups = 3;
    private const int StemWidth = 24;

    private static readonly (int Width, int Units)[] Settings = [(240, 4), (480, 8), (960, 4)];

    /// <inheritdoc/>
    public override string Name => "ShuffleNetV1";

    private protected override string Kind => "A ShuffleNetV1";

    /// <inheritdoc/>
    protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator)
    {
        var side = new ImageDownsampling(shape);
        List<Block> body = [.. Convolve(shape.Channels, StemWidth, 1, 1, generator)];
        List<int> taps = [body.Count - 1];
        var width = StemWidth;
        foreach (var (next, units) in Settings)
        {
            var stride = side.NextStride();
            // The first unit of a stage concatenates its new channels with the average-pooled old ones.
            body.Add(new Concatenation(Unit(width, next - width, stride, generator), new AveragePool(3, stride)));
            body.Add(new Relu());
            for (var unit = 1; unit < units; unit++)
            {
                body.Add(new ResidualAdd(Unit(next, next, 1, generator)));
                body.Add(new Relu());
            }

            width = next;
            taps.Add(body.Count - 1);
        }

        body.Add(new GlobalAveragePool());
        return new NetworkPlan(body, taps, width);
    }

    private static Sequential Unit(int inputs, int outputs, int stride, Generator generator)
    {
        var inner = outputs / 4;
        // The few channels of the stem are not grouped, so there is nothing to shuffle.
        var groups = inputs == StemWidth ? 1 : Groups;
        return new Sequential([
            .. Convolve(inputs, inner, 1, 1, generator, groups),
            new ChannelShuffle(inner, groups),
            // The paper has no rectifier here; the reference networks of distillation do.
            .. Convolve(inner, inner, 3, stride, generator, groups: inner),
            new Convolution(inner, outputs, 1, 1, generator, Groups),
            new BatchNormalization(outputs),
        ]);
    }
}

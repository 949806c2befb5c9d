using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>
/// MobileNetV2 in the form distillation on CIFAR uses (Sandler et al. 2018; RepDistiller): a 3×3 stem at stride 2, seventeen inverted residual
/// blocks, a 1×1 convolution to 1280 channels, global average pooling; with plain rectifiers (not cut off at 6) and an expansion convolution in the
/// first block too. Taps: after the stem and after the blocks 3, 6, 13 and 17.
/// </summary>
/// <param name="Width">Factor on the number of channels, 1/16 to 16; 0.5 is the usual student.</param>
public sealed record MobileNetV2Spec(double Width) : ImageNetworkSpec
{
    private const double MinWidth = 1.0 / 16;
    private const double MaxWidth = 16;
    private const int StemWidth = 32;
    private const int EmbeddingWidth = 1280;

    /// <summary>The stages of the paper's table 2: expansion, channels, blocks, whether the first block halves the map, whether a tap follows.</summary>
    private static readonly (int Expansion, int Channels, int Blocks, bool Halves, bool IsTapped)[] Settings =
    [
        (1, 16, 1, false, false),
        (6, 24, 2, false, true),
        (6, 32, 3, true, true),
        (6, 64, 4, true, false),
        (6, 96, 3, false, true),
        (6, 160, 3, true, false),
        (6, 320, 1, false, true),
    ];

    /// <inheritdoc/>
    public override string Name => FormattableString.Invariant($"MobileNetV2 {Width}x");

    private protected override string Kind => "A MobileNetV2";

    /// <inheritdoc/>
    public override IEnumerable<string> Validate() =>
    [
        .. Faults.Unless(Width >= MinWidth && Width <= MaxWidth, $"The width of a MobileNetV2 must be in [{MinWidth}, {MaxWidth}]; was {Width}."),
        .. base.Validate(),
    ];

    /// <inheritdoc/>
    protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator)
    {
        var side = new ImageDownsampling(shape);
        var width = Scaled(StemWidth);
        List<Block> body = [.. Convolve(shape.Channels, width, 3, side.NextStride(), generator)];
        List<int> taps = [body.Count - 1];
        foreach (var (expansion, channels, blocks, halves, isTapped) in Settings)
        {
            for (var block = 0; block < blocks; block++)
            {
                body.Add(InvertedResidual(width, Scaled(channels), block == 0 && halves ? side.NextStride() : 1, expansion, generator));
                width = Scaled(channels);
            }

            if (isTapped)
                taps.Add(body.Count - 1);
        }

        var embedding = (int)(EmbeddingWidth * Math.Max(1, Width));
        body.AddRange([.. Convolve(width, embedding, 1, 1, generator), new GlobalAveragePool()]);
        return new NetworkPlan(body, taps, embedding);
    }

    private int Scaled(int channels) => (int)(channels * Width);

    private static Block InvertedResidual(int inputs, int outputs, int stride, int expansion, Generator generator)
    {
        var inner = inputs * expansion;
        var block = new Sequential([
            .. Convolve(inputs, inner, 1, 1, generator),
            .. Convolve(inner, inner, 3, stride, generator, groups: inner),
            new Convolution(inner, outputs, 1, 1, generator),
            new BatchNormalization(outputs),
        ]);
        return stride == 1 && inputs == outputs ? new ResidualAdd(block) : block;
    }
}

using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>
/// The wide residual network WRN-d-k (Zagoruyko and Komodakis 2016): a 3×3 stem of 16 channels, three stages of n = (d-4)/6 pre-activation
/// blocks with 16k, 32k and 64k channels, the second and the third starting at stride 2, normalization and rectifier, global average pooling.
/// Taps: after the stem and after each stage, the raw sums of the blocks (before normalization and rectifier).
/// </summary>
/// <param name="Depth">6n+4: 10, 16, 22, 28, 40…</param>
/// <param name="Widen">The widening factor k, at least 1.</param>
public sealed record WideResNetSpec(int Depth, int Widen) : ImageNetworkSpec
{
    private const int StemWidth = 16;

    // Keeps the widths within 32 bits.
    private const int LargestWiden = 1_000_000;

    /// <inheritdoc/>
    public override string Name => $"WRN-{Depth}-{Widen}";

    private protected override string Kind => "A wide ResNet";

    /// <inheritdoc/>
    public override IEnumerable<string> Validate() =>
    [
        .. Faults.Unless(Depth >= 10 && (Depth - 4) % 6 == 0, $"The depth of a wide ResNet must be 6n+4 (10, 16, 22, 28, 40, …); was {Depth}."),
        .. Faults.AtLeast(1, "The widening factor of a wide ResNet", Widen),
        .. Faults.Unless(Widen <= LargestWiden, $"The widening factor of a wide ResNet must be at most {LargestWiden}; was {Widen}."),
        .. base.Validate(),
    ];

    /// <inheritdoc/>
    protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator)
    {
        var side = new ImageDownsampling(shape);
        List<Block> body = [new Convolution(shape.Channels, StemWidth, 3, 1, generator)];
        List<int> taps = [0];
        var width = StemWidth;
        for (var stage = 0; stage < 3; stage++)
        {
            var next = StemWidth * Widen << stage;
            for (var block = 0; block < (Depth - 4) / 6; block++)
            {
                body.Add(PreActivation(width, next, block == 0 && stage > 0 ? side.NextStride() : 1, generator));
                width = next;
            }

            taps.Add(body.Count - 1);
        }

        // mdistiller passes its taps through the batch normalizations a second time, for outputs that only some methods read; in training that
        // updates their running statistics twice a step. Here each is passed once.
        body.AddRange([new BatchNormalization(width), new Relu(), new GlobalAveragePool()]);
        return new NetworkPlan(body, taps, width);
    }

    /// <summary>conv(relu(bn(conv(a)))) + x with a = relu(bn x); where the width changes, the shortcut is a 1×1 convolution of a, not x.</summary>
    private static Sequential PreActivation(int inputs, int outputs, int stride, Generator generator)
    {
        Block[] activation = [new BatchNormalization(inputs), new Relu()];
        Block[] convolutions =
        [
            new Convolution(inputs, outputs, 3, stride, generator),
            new BatchNormalization(outputs),
            new Relu(),
            new Convolution(outputs, outputs, 3, 1, generator),
        ];
        return inputs == outputs && stride == 1
            ? new Sequential(new ResidualAdd(new Sequential([.. activation, .. convolutions])))
            : new Sequential([.. activation, new ResidualAdd(new Sequential(convolutions), new Convolution(inputs, outputs, 1, stride, generator))]);
    }
}

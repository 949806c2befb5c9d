using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>
/// The CIFAR form of VGG (Simonyan and Zisserman 2015): five stages of 3×3 convolutions with bias, normalization and rectifier, 2×2 max-pooling
/// after the first three (after the fourth too from 64×64 pixels on), global average pooling, one linear layer. Taps: after each stage, before
/// its pooling.
/// </summary>
/// <param name="Depth">8, 11, 13, 16 or 19.</param>
/// <param name="Widths">Channels of the five stages (the published networks: 64, 128, 256, 512, 512).</param>
public sealed record VggSpec(int Depth, IReadOnlyList<int> Widths) : ImageNetworkSpec
{
    // Below this side the published CIFAR networks leave out the fourth pooling.
    private const int SideOfFourPoolings = 64;

    private static readonly Dictionary<int, int[]> Convolutions = new()
    {
        [8] = [1, 1, 1, 1, 1],
        [11] = [1, 1, 2, 2, 2],
        [13] = [2, 2, 2, 2, 2],
        [16] = [2, 2, 3, 3, 3],
        [19] = [2, 2, 4, 4, 4],
    };

    /// <inheritdoc/>
    public override string Name => $"VGG-{Depth} {string.Join('/', Widths ?? [])}";

    private protected override string Kind => "A VGG";

    /// <inheritdoc/>
    public override IEnumerable<string> Validate() =>
    [
        .. Faults.Unless(Convolutions.ContainsKey(Depth), $"The depth of a VGG must be 8, 11, 13, 16 or 19; was {Depth}."),
        .. Faults.Unless(Widths is { Count: 5 } && Widths.All(w => w >= 1), $"A VGG takes five widths of at least 1; were [{NumberText.Join(Widths ?? [])}]."),
        .. base.Validate(),
    ];

    /// <inheritdoc/>
    protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator)
    {
        var side = new ImageDownsampling(shape);
        var poolings = Math.Min(shape.Height, shape.Width) >= SideOfFourPoolings ? 4 : 3;
        var body = new List<Block>();
        var taps = new List<int>();
        var width = shape.Channels;
        for (var stage = 0; stage < 5; stage++)
        {
            for (var i = 0; i < Convolutions[Depth][stage]; i++)
            {
                // The bias has no effect before the normalization, but the published parameter counts include it.
                body.Add(new Convolution(width, Widths[stage], 3, 1, generator, bias: true));
                body.Add(new BatchNormalization(Widths[stage]));
                body.Add(new Relu());
                width = Widths[stage];
            }

            taps.Add(body.Count - 1);
            if (stage < poolings && side.TryPool())
                body.Add(new MaxPool(2));
        }

        body.Add(new GlobalAveragePool());
        return new NetworkPlan(body, taps, width);
    }

    /// <summary>Equal depth, widths and shape make equal specifications.</summary>
    public bool Equals(VggSpec? other) => other is not null && base.Equals(other) && Depth == other.Depth && Widths.SequenceEqual(other.Widths);

    /// <inheritdoc/>
    public override int GetHashCode() => Widths.Aggregate(HashCode.Combine(base.GetHashCode(), Depth), HashCode.Combine);
}

using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>
/// The CIFAR-style residual network of depth 6n+2 (He et al. 2016, §4.2): a 3×3 stem, three stages of n basic blocks, the second and the
/// third starting at stride 2, global average pooling. Taps: after the stem and after each stage.
/// </summary>
/// <param name="Depth">6n+2: 8, 14, 20, 32, 44, 56, 110…</param>
/// <param name="Widths">Channels of the stem and of the three stages (the published networks: 16, 16, 32, 64).</param>
public sealed record ResNetSpec(int Depth, IReadOnlyList<int> Widths) : ImageNetworkSpec
{
    /// <inheritdoc/>
    public override string Name => $"ResNet-{Depth} {string.Join('/', Widths ?? [])}";

    /// <inheritdoc/>
    public override double DefaultLearningRate => 0.01;

    private protected override string Kind => "A ResNet";

    /// <inheritdoc/>
    public override IEnumerable<string> Validate() =>
    [
        .. Faults.Unless(Depth >= 8 && (Depth - 2) % 6 == 0, $"The depth of a ResNet must be 6n+2 (8, 14, 20, 32, …); was {Depth}."),
        .. Faults.Unless(
            Widths is { Count: 4 } && Widths.All(w => w >= 1), $"A ResNet takes four widths of at least 1 (stem and three stages); were [{NumberText.Join(Widths ?? [])}]."),
        .. base.Validate(),
    ];

    /// <inheritdoc/>
    protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator)
    {
        var side = new ImageDownsampling(shape);
        List<Block> body = [.. Convolve(shape.Channels, Widths[0], 3, 1, generator)];
        List<int> taps = [body.Count - 1];
        for (var stage = 1; stage <= 3; stage++)
        {
            for (var block = 0; block < (Depth - 2) / 6; block++)
            {
                var first = block == 0;
                body.Add(new ResidualBlock(Widths[first ? stage - 1 : stage], Widths[stage], first && stage > 1 ? side.NextStride() : 1, generator));
            }

            taps.Add(body.Count - 1);
        }

        body.Add(new GlobalAveragePool());
        return new NetworkPlan(body, taps, Widths[3]);
    }

    /// <summary>Equal depth, widths and shape make equal specifications.</summary>
    public bool Equals(ResNetSpec? other) => other is not null && base.Equals(other) && Depth == other.Depth && Widths.SequenceEqual(other.Widths);

    /// <inheritdoc/>
    public override int GetHashCode() => Widths.Aggregate(HashCode.Combine(base.GetHashCode(), Depth), HashCode.Combine);
}

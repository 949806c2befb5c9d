using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>
/// The CIFAR-style residual network of depth 6n+2 (He et al. 2016, §4.2): a 3×3 stem, three stages of n basic blocks, the second and the
/// third starting at stride 2, global average pooling. Taps: after the stem and after each stage. Images of 1 or 3 channels, 8×8 or larger.
/// </summary>
/// <param name="Depth">6n+2: 8, 14, 20, 32, 44, 56, 110…</param>
/// <param name="Widths">Channels of the stem and of the three stages (the published networks: 16, 16, 32, 64).</param>
public sealed record ResNetSpec(int Depth, IReadOnlyList<int> Widths) : NetworkSpec
{
    private const int SmallestSide = 8;

    /// <summary>The image shape; null to take it from the feature column's own dimensions or from the options.</summary>
    public InputShape? ImageShape { get; init; }

    /// <inheritdoc/>
    public override string Name => $"ResNet-{Depth} {string.Join('/', Widths)}";

    /// <inheritdoc/>
    public override bool NeedsImages => true;

    /// <inheritdoc/>
    public override InputShape? Image => ImageShape;

    /// <inheritdoc/>
    public override IEnumerable<string> Faults()
    {
        if (Depth < 8 || (Depth - 2) % 6 != 0)
            yield return $"The depth of a ResNet must be 6n+2 (8, 14, 20, 32, …); was {Depth}.";
        if (Widths.Count != 4 || Widths.Any(w => w < 1))
            yield return $"A ResNet takes four widths of at least 1 (stem and three stages); were [{string.Join(", ", Widths)}].";
        if (ImageShape is { } shape && ShapeFault(shape) is { } fault)
            yield return fault;
    }

    /// <inheritdoc/>
    public override string? ShapeFault(InputShape shape) => shape switch
    {
        { IsImage: false } => $"A ResNet reads images; the rows are a {shape}. Give the image shape (channels, height, width).",
        { Channels: not (1 or 3) } => $"A ResNet reads images of 1 or 3 channels; these have {shape.Channels} ({shape}).",
        _ when shape.Height < SmallestSide || shape.Width < SmallestSide =>
            $"A ResNet reads images of at least {SmallestSide}×{SmallestSide} pixels; these are {shape}.",
        _ => null,
    };

    /// <inheritdoc/>
    protected override NetworkPlan Plan(InputShape shape, Generator generator)
    {
        if (ShapeFault(shape) is { } fault)
            throw new ArgumentException(fault);
        List<Block> body = [new Convolution(shape.Channels, Widths[0], 3, 1, generator), new BatchNormalization(Widths[0]), new Relu()];
        List<int> taps = [body.Count - 1];
        for (var stage = 1; stage <= 3; stage++)
        {
            for (var block = 0; block < (Depth - 2) / 6; block++)
            {
                var first = block == 0;
                body.Add(new ResidualBlock(Widths[first ? stage - 1 : stage], Widths[stage], first && stage > 1 ? 2 : 1, generator));
            }

            taps.Add(body.Count - 1);
        }

        body.Add(new GlobalAveragePool());
        return new NetworkPlan(body, taps, Widths[3]);
    }

    /// <summary>Equal depth, widths and shape make equal specifications.</summary>
    public bool Equals(ResNetSpec? other) =>
        other is not null && base.Equals(other) && Depth == other.Depth && ImageShape == other.ImageShape && Widths.SequenceEqual(other.Widths);

    /// <inheritdoc/>
    public override int GetHashCode() => Widths.Aggregate(HashCode.Combine(base.GetHashCode(), Depth, ImageShape), HashCode.Combine);
}

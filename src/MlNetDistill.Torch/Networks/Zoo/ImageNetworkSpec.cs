using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>
/// A network over images of 1 or 3 channels, 8×8 pixels or larger. From 32×32 on it halves its maps where the published network does; for smaller
/// images the last of these layers keep the size as soon as a side is below 4 pixels.
/// </summary>
public abstract record ImageNetworkSpec : NetworkSpec
{
    // At 8×8 every network still halves its maps twice; on smaller images it would hardly be the published network.
    private const int SmallestSide = 8;

    private protected ImageNetworkSpec() { }

    /// <summary>The image shape; null to take it from the feature column's own dimensions or from the options.</summary>
    public InputShape? ImageShape { get; init; }

    /// <inheritdoc/>
    public override bool NeedsImages => true;

    /// <inheritdoc/>
    public override InputShape? Image => ImageShape;

    /// <summary>The kind of network with its article, as messages begin.</summary>
    private protected abstract string Kind { get; }

    /// <inheritdoc/>
    public override IEnumerable<string> Validate() => ImageShape is { } shape && ValidateShape(shape) is { } fault ? [fault] : [];

    /// <inheritdoc/>
    public override string? ValidateShape(InputShape shape) => shape switch
    {
        { IsImage: false } => $"{Kind} reads images; the rows are a {shape}. Give the image shape (channels, height, width).",
        { Channels: not (1 or 3) } => $"{Kind} reads images of 1 or 3 channels; these have {shape.Channels} ({shape}).",
        _ when shape.Height < SmallestSide || shape.Width < SmallestSide =>
            $"{Kind} reads images of at least {SmallestSide}×{SmallestSide} pixels; these are {shape}.",
        _ => null,
    };

    /// <summary>A convolution, batch normalization and a rectifier.</summary>
    private protected static Block[] Convolve(int inputs, int outputs, int kernel, int stride, Generator generator, int groups = 1) =>
        [new Convolution(inputs, outputs, kernel, stride, generator, groups), new BatchNormalization(outputs), new Relu()];
}

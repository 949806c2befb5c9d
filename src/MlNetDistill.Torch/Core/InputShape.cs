using System.Text.Json.Serialization;

namespace MlNetDistill.Core;

/// <summary>The shape of one row as a network sees it: a vector of <see cref="Length"/> values, or an image C×H×W.</summary>
public readonly record struct InputShape
{
    [JsonConstructor]
    private InputShape(int channels, int height, int width) => (Channels, Height, Width) = (channels, height, width);

    /// <summary>Channels of an image; for a vector its length.</summary>
    public int Channels { get; }

    /// <summary>Height of an image in pixels; 0 for a vector.</summary>
    public int Height { get; }

    /// <summary>Width of an image in pixels; 0 for a vector.</summary>
    public int Width { get; }

    /// <summary>Whether rows are images.</summary>
    [JsonIgnore]
    public bool IsImage => Height > 0;

    /// <summary>Values in one row.</summary>
    [JsonIgnore]
    public int Length => IsImage ? Channels * Height * Width : Channels;

    /// <summary>The dimensions without the batch axis.</summary>
    [JsonIgnore]
    public long[] Dimensions => IsImage ? [Channels, Height, Width] : [Channels];

    /// <summary>A row of <paramref name="length"/> numbers.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="length"/> is below 1.</exception>
    public static InputShape Vector(int length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        return new InputShape(length, 0, 0);
    }

    /// <summary>An image, channels first (C×H×W, each plane row by row).</summary>
    /// <exception cref="ArgumentOutOfRangeException">A dimension is below 1, or there are more than 2³¹-1 values.</exception>
    public static InputShape Image(int channels, int height, int width)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        var values = (Int128)channels * height * width;
        return values <= int.MaxValue ? new InputShape(channels, height, width) : throw new ArgumentOutOfRangeException(
            nameof(height), FormattableString.Invariant($"An image of {channels}×{height}×{width} has {values} values; at most {int.MaxValue} can be read."));
    }

    /// <inheritdoc/>
    public override string ToString() => IsImage ? $"{Channels}×{Height}×{Width}" : $"vector of {Channels}";
}

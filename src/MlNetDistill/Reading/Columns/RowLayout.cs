using Microsoft.ML.Data;
using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>The shape of a vector column's rows, and the order of its values. Networks and teachers get images plane after plane, whatever the column's order.</summary>
/// <param name="Shape">The shape of a row: an image, or a vector.</param>
/// <param name="IsInterleaved">
/// Whether the channels of a pixel are side by side (H×W×C, which <c>ExtractPixels</c> writes with <c>interleavePixelColors: true</c>) and not plane after
/// plane (C×H×W).
/// </param>
internal readonly record struct RowLayout(InputShape Shape, bool IsInterleaved = false)
{
    /// <summary>The layout by the column's dimensions: an image of 1 or 3 channels, else a vector.</summary>
    public static RowLayout FromDimensions(VectorDataViewType type) => WithoutBatch(type.Dimensions) switch
    {
        [(1 or 3) and var channels, var height, var width] => new(InputShape.Image(channels, height, width)),
        [var height, var width, var channels and (1 or 3)] => new(InputShape.Image(channels, height, width), channels > 1),
        _ => new(InputShape.Vector(type.Size)),
    };

    /// <summary>The layout of images of a given shape: in the order of the column's dimensions, or plane after plane if it has none.</summary>
    /// <param name="type">The column's type.</param>
    /// <param name="given">The shape.</param>
    /// <param name="option">The option that gives it, for messages.</param>
    /// <param name="column">The column, for messages.</param>
    /// <exception cref="ArgumentOutOfRangeException">The column's length or dimensions are others.</exception>
    public static RowLayout FromShape(VectorDataViewType type, InputShape given, string option, string column)
    {
        if (given.Length != type.Size)
        {
            throw new ArgumentOutOfRangeException(
                "schema",
                $"An image of {given} has {given.Length} values; column '{column}' has {type.Size} ({type}). Give the shape as channels, height, width.");
        }

        if (!given.IsImage || AxisOrder.IsPlanes(type.Dimensions, given))
            return new(given);
        return AxisOrder.IsInterleaved(type.Dimensions, given)
            ? new(given, given.Channels > 1)
            : throw new ArgumentOutOfRangeException(
                "schema",
                $"{option} is an image of {given} (channels, height, width), and column '{column}' is a {type}, which is another. " +
                "Leave the shape out to take the column's own, or correct it.");
    }

    // The dimensions of a model's output begin with a batch size of 1.
    private static int[] WithoutBatch(IEnumerable<int> dimensions)
    {
        int[] rest = [.. dimensions];
        while (rest is [1, _, _, _, ..])
            rest = rest[1..];
        return rest;
    }

    /// <summary>Copies the values of a row, plane after plane.</summary>
    public void Copy<T>(in VBuffer<T> values, Span<T> row)
    {
        if (!IsInterleaved)
        {
            values.CopyTo(row);
            return;
        }

        var (channels, plane) = (Shape.Channels, Shape.Height * Shape.Width);
        foreach (var (index, value) in values.Items(all: true))
            row[(index % channels * plane) + (index / channels)] = value;
    }
}

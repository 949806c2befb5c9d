namespace MlNetDistill.Core;

/// <summary>
/// The order of an image's values (planes or interleaved pixels), as far as the dimensions of its column show it. Neighboring axes may be joined (C×HW, H×WC)
/// and axes of length 1 may be anywhere, as neither moves a value.
/// </summary>
internal static class AxisOrder
{
    /// <summary>Whether the dimensions can be those of planes: channels, height, width.</summary>
    public static bool IsPlanes(IReadOnlyList<int> dimensions, InputShape image) => MatchesJoinedAxes(dimensions, [image.Channels, image.Height, image.Width]);

    /// <summary>Whether the dimensions can be those of interleaved pixels: height, width, channels.</summary>
    public static bool IsInterleaved(IReadOnlyList<int> dimensions, InputShape image) => MatchesJoinedAxes(dimensions, [image.Height, image.Width, image.Channels]);

    /// <summary>Whether each dimension is the product of the next few axes, and no axis is left over.</summary>
    private static bool MatchesJoinedAxes(IReadOnlyList<int> dimensions, int[] axes)
    {
        var next = 0;
        foreach (var dimension in dimensions.Where(d => d != 1))
        {
            var product = 1L;
            while (next < axes.Length && product < dimension)
                product *= axes[next++];
            if (product != dimension)
                return false;
        }

        return axes.Skip(next).All(axis => axis == 1);
    }
}

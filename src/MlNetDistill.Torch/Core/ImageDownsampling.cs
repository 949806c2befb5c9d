namespace MlNetDistill.Core;

/// <summary>
/// Decides which layers of a network halve their maps: those of the published network, for 32×32 images, as long as the shorter side of the map is at least 4
/// pixels. Later layers keep the size, so that a small image does not shrink to a single pixel.
/// </summary>
internal sealed class ImageDownsampling(InputShape shape)
{
    private const int SmallestHalved = 4;
    private int _side = Math.Min(shape.Height, shape.Width);

    /// <summary>The stride of a layer that halves its map and rounds up: 2, or 1 where the map is too small.</summary>
    public int NextStride()
    {
        if (_side < SmallestHalved)
            return 1;
        _side = (_side + 1) / 2;
        return 2;
    }

    /// <summary>Whether a map is pooled 2×2, rounding down.</summary>
    public bool TryPool()
    {
        if (_side < SmallestHalved)
            return false;
        _side /= 2;
        return true;
    }
}

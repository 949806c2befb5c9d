using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>Some rows of many.</summary>
internal static class Spread
{
    /// <summary>At most <paramref name="most"/> positions below <paramref name="rows"/>, evenly spread, 64-bit, in the current dispose scope.</summary>
    public static Tensor Over(int rows, int most, Device device)
    {
        var count = Math.Min(most, rows);
        return tensor([.. Enumerable.Range(0, count).Select(i => (long)i * rows / count)], device: device);
    }
}

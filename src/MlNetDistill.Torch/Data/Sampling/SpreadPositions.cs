using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>A sample of rows.</summary>
internal static class SpreadPositions
{
    /// <summary>At most <paramref name="maxCount"/> positions below <paramref name="rows"/>, evenly spread, 64-bit, in the current dispose scope.</summary>
    public static Tensor Create(long rows, long maxCount, Device device)
    {
        var count = Math.Min(maxCount, rows);
        if (count == rows)
            return TensorArithmetic.Range(rows, device);
        return tensor([.. Enumerable.Range(0, (int)count).Select(i => (long)((Int128)i * rows / count))], device: device);
    }
}

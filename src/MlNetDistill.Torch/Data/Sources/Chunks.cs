using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>Rows in parts small enough to compute with at a time.</summary>
internal static class Chunks
{
    /// <summary>Bytes of features to gather at a time.</summary>
    public const long Bytes = 64L << 20;

    /// <summary>Number of rows to gather at a time, so that their features take about <see cref="Bytes"/> at most.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="most">No more than this many.</param>
    public static long RowsAtATime(IRowSource rows, long most = long.MaxValue) => Math.Clamp(Bytes / rows.RowBytes, 1, most);

    /// <summary>The elements of <paramref name="positions"/>, at most <paramref name="size"/> at a time, in order. Each part lives until the next is asked for.</summary>
    public static IEnumerable<Tensor> Split(Tensor positions, long size)
    {
        for (long at = 0; at < positions.shape[0]; at += size)
        {
            using var part = positions.narrow(0, at, Math.Min(size, positions.shape[0] - at)).DetachFromDisposeScope();
            yield return part;
        }
    }
}

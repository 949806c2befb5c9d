using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>Single elements of rows, from a source that gathers whole rows.</summary>
internal static class ElementGathering
{
    // Values gathered at a time: 16 MiB as 32-bit floats.
    private const long ChunkValues = 1L << 22;

    /// <summary>See <see cref="IRowSource.GatherElements"/>.</summary>
    public static Tensor FromRows(IRowSource rows, Tensor positions, Device device)
    {
        ArgumentNullException.ThrowIfNull(positions);
        ArgumentNullException.ThrowIfNull(device);
        using var scope = NewDisposeScope();
        var length = positions.shape[1];
        var flat = positions.reshape(-1);
        var columns = TensorArithmetic.Range(length, device).repeat(positions.shape[0]);
        var parts = new List<Tensor>();
        var at = 0L;
        foreach (var some in Chunks.Split(flat, Math.Max(1, ChunkValues / length)))
        {
            using var inner = NewDisposeScope();
            var column = columns.narrow(0, at, some.shape[0]).unsqueeze(1);
            parts.Add(rows.Gather(some, device).flatten(1).gather(1, column).squeeze(1).MoveToOuterDisposeScope());
            at += some.shape[0];
        }

        return cat(parts).reshape(positions.shape).MoveToOuterDisposeScope();
    }
}

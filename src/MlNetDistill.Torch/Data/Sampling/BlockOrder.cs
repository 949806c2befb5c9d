using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>
/// A random order of rows that are read in blocks: the blocks are shuffled, and then the rows of a window, which is as many blocks as can be in memory at a time.
/// </summary>
/// <param name="Positions">The positions in this order, on the device of those given.</param>
/// <param name="Windows">Where each window starts in this order, and its blocks.</param>
internal sealed record BlockOrder(Tensor Positions, IReadOnlyList<(long Start, long[] Blocks)> Windows)
{
    /// <summary>Shuffles positions.</summary>
    /// <param name="positions">Positions of rows, ascending.</param>
    /// <param name="blocks">The blocks.</param>
    /// <param name="generator">A CPU generator.</param>
    /// <returns>The order, in the current dispose scope.</returns>
    public static BlockOrder Shuffle(Tensor positions, RowBlocks blocks, Generator generator)
    {
        using var scope = NewDisposeScope();
        var rows = positions.cpu();
        // The place of the first row of each block among the positions; some blocks may have no row there.
        var count = rows.shape[0] == 0 ? 0 : (rows.narrow(0, rows.shape[0] - 1, 1).item<long>() / blocks.Rows) + 1;
        var starts = searchsorted(rows, TensorArithmetic.Range(count + 1, CPU).MultiplyByInteger(blocks.Rows)).data<long>().ToArray();
        var order = randperm(count, device: CPU, generator: generator).data<long>().ToArray();
        var (parts, windows, start) = (new List<Tensor>(), new List<(long, long[])>(), 0L);
        foreach (var together in order.Where(block => starts[block] < starts[block + 1]).Chunk(blocks.Together))
        {
            using var inner = NewDisposeScope();
            var some = cat([.. together.Select(block => rows.narrow(0, starts[block], starts[block + 1] - starts[block]))]);
            parts.Add(some.index_select(0, randperm(some.shape[0], device: CPU, generator: generator)).MoveToOuterDisposeScope());
            windows.Add((start, together));
            start += some.shape[0];
        }

        return new BlockOrder((parts.Count == 0 ? rows : cat(parts)).On(positions.device).MoveToOuterDisposeScope(), windows);
    }
}

using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>A random order of rows that are read in blocks: the blocks are shuffled, and then the rows of as many blocks as can be in memory at a time.</summary>
internal static class BlockOrder
{
    /// <summary>Shuffles positions.</summary>
    /// <param name="positions">Positions of rows, ascending.</param>
    /// <param name="blocks">The blocks.</param>
    /// <param name="generator">A CPU generator.</param>
    /// <returns>The same positions, on the same device, in the current dispose scope.</returns>
    public static Tensor Shuffle(Tensor positions, RowBlocks blocks, Generator generator)
    {
        using var scope = NewDisposeScope();
        var rows = positions.cpu();
        // The place of the first row of each block among the positions; some blocks may have no row there.
        var count = rows.shape[0] == 0 ? 0 : (rows.narrow(0, rows.shape[0] - 1, 1).item<long>() / blocks.Rows) + 1;
        var starts = searchsorted(rows, TensorArithmetic.Range(count + 1, CPU).MultiplyByInteger(blocks.Rows)).data<long>().ToArray();
        var order = randperm(count, device: CPU, generator: generator).data<long>().ToArray();
        var parts = new List<Tensor>();
        foreach (var together in order.Where(block => starts[block] < starts[block + 1]).Chunk(blocks.Together))
        {
            using var inner = NewDisposeScope();
            var some = cat([.. together.Select(block => rows.narrow(0, starts[block], starts[block + 1] - starts[block]))]);
            parts.Add(some.index_select(0, randperm(some.shape[0], device: CPU, generator: generator)).MoveToOuterDisposeScope());
        }

        return (parts.Count == 0 ? rows : cat(parts)).On(positions.device).MoveToOuterDisposeScope();
    }
}

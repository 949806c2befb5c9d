using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Cache;

/// <summary>Chunks of any sizes in, blocks out.</summary>
/// <param name="layout">What is kept.</param>
/// <param name="buffer">Where blocks are put together.</param>
/// <param name="ids">Row ids of the first view so far; those that come are added.</param>
/// <param name="put">Takes each block that is full, while it is in the buffer.</param>
internal sealed class BlockAssembler(CacheLayout layout, BlockBuffer buffer, List<RowId> ids, Action<long> put)
{
    private readonly OutputEncoding _code = new(layout);

    /// <summary>Entries that have come, those of earlier runs included.</summary>
    public long Entries { get; private set; }

    /// <summary>Builds from the entry after <paramref name="done"/> on, which begins a block.</summary>
    /// <exception cref="InvalidOperationException">The answers are not as many as the key says, not of its shapes, not finite or not in the same order in each view.</exception>
    public void Build(long done, Func<long, IEnumerable<OutputChunk>> answersFrom, CancellationToken cancellation)
    {
        Entries = done;
        if (done < layout.Entries)
        {
            foreach (var chunk in answersFrom(done))
            {
                cancellation.ThrowIfCancellationRequested();
                Append(chunk);
            }
        }

        if (Entries < layout.Entries)
        {
            throw new InvalidOperationException(
                $"The teacher gave {Entries} answers where {layout.Entries} were expected. It must answer for every row, and its data must hold the same rows in every pass.");
        }
    }

    private void Append(OutputChunk chunk)
    {
        if (Entries + chunk.Ids.Count > layout.Entries)
            throw new InvalidOperationException($"The teacher gave more answers than the {layout.Entries} that were expected.");
        CheckIds(chunk.Ids);
        using var scope = NewDisposeScope();
        var fields = _code.Encode(chunk);
        for (var from = 0; from < chunk.Ids.Count;)
        {
            var (block, row) = (Entries / layout.RowsPerBlock, (int)(Entries % layout.RowsPerBlock));
            var rows = Math.Min(chunk.Ids.Count - from, layout.RowsIn(block) - row);
            for (var i = 0; i < rows; i++)
                buffer.SetId(row + i, chunk.Ids[from + i]);
            for (var field = 0; field < fields.Count; field++)
            {
                var size = layout.Fields[field].Bytes;
                fields[field].bytes.Slice(from * size, rows * size).CopyTo(buffer.Values(block, field)[(row * size)..]);
            }

            from += rows;
            Entries += rows;
            if (row + rows == layout.RowsIn(block))
                put(block);
        }
    }

    private void CheckIds(IReadOnlyList<RowId> given)
    {
        for (var i = 0; i < given.Count; i++)
        {
            var (view, row) = Math.DivRem(Entries + i, layout.Key.Rows);
            if (view == 0)
                ids.Add(given[i]);
            else if (ids[(int)row] != given[i])
                throw new InvalidOperationException($"Row {row} of view {view + 1} is row id {given[i]}, of view 1 row id {ids[(int)row]}; all views must have one order.");
        }
    }
}

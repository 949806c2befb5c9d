using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Cache;

/// <summary>Checks and encodes a teacher's outputs chunk by chunk.</summary>
/// <param name="key">What is cached.</param>
/// <param name="ids">Row ids of the first view so far; new ones are added.</param>
/// <param name="put">Stores a chunk: the number of its first entry, its row ids and its fields, which are disposed afterwards.</param>
internal sealed class OutputCollector(CacheFileKey key, RowIdsBuilder ids, Action<long, IReadOnlyList<RowId>, IReadOnlyList<Tensor>> put)
{
    private readonly OutputEncoding _encoding = new(key);

    /// <summary>Collects the outputs of all entries from <paramref name="done"/> on.</summary>
    /// <exception cref="InvalidOperationException">The outputs are too few or too many, not of the key's shapes, not finite, or in another order in a later view.</exception>
    public void Collect(long done, Func<long, IEnumerable<OutputChunk>> outputsFrom, CancellationToken cancellation)
    {
        foreach (var chunk in done < key.Entries ? outputsFrom(done) : [])
        {
            cancellation.ThrowIfCancellationRequested();
            if (done + chunk.Ids.Count > key.Entries)
                throw new InvalidOperationException($"The teacher returned outputs for more than the {key.Entries} rows that were expected.");
            CheckIds(done, chunk.Ids);
            using var scope = NewDisposeScope();
            put(done, chunk.Ids, _encoding.Encode(chunk));
            done += chunk.Ids.Count;
        }

        if (done < key.Entries)
        {
            throw new InvalidOperationException(
                $"The teacher returned outputs for {done} rows; {key.Entries} were expected. It must return outputs for every row, and its data must contain the same rows in every pass.");
        }
    }

    private void CheckIds(long first, IReadOnlyList<RowId> given)
    {
        for (var i = 0; i < given.Count; i++)
        {
            var (view, row) = Math.DivRem(first + i, key.Rows);
            if (view == 0)
            {
                ids.Add(given[i]);
            }
            else if (ids[row] != given[i])
            {
                throw new InvalidOperationException(
                    $"The teacher returned row id {given[i]} as row {row} of view {view + 1}; in view 1 this row has id {ids[row]}. All views must have the same order.");
            }
        }
    }
}

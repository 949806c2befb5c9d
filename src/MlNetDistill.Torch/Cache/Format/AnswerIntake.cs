using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Cache;

/// <summary>A teacher's answers as they come: checked, and in the fields in which they are kept.</summary>
/// <param name="key">What is kept.</param>
/// <param name="ids">Row ids of the first view so far; new ones are added.</param>
/// <param name="put">Takes the number of the first entry, the row ids and the fields of each chunk; the fields live until it returns.</param>
internal sealed class AnswerIntake(CacheFileKey key, List<RowId> ids, Action<long, IReadOnlyList<RowId>, IReadOnlyList<Tensor>> put)
{
    private readonly OutputEncoding _encoding = new(key);

    /// <summary>Takes the answers that follow the first <paramref name="done"/>.</summary>
    /// <exception cref="InvalidOperationException">The answers are not as many as the key says, not of its shapes, not finite or not in the same order in each view.</exception>
    public void Take(long done, Func<long, IEnumerable<OutputChunk>> answersFrom, CancellationToken cancellation)
    {
        if (done < key.Entries)
        {
            foreach (var chunk in answersFrom(done))
            {
                cancellation.ThrowIfCancellationRequested();
                if (done + chunk.Ids.Count > key.Entries)
                    throw new InvalidOperationException($"The teacher gave more answers than the {key.Entries} that were expected.");
                CheckIds(done, chunk.Ids);
                using var scope = NewDisposeScope();
                put(done, chunk.Ids, _encoding.Encode(chunk));
                done += chunk.Ids.Count;
            }
        }

        if (done < key.Entries)
        {
            throw new InvalidOperationException(
                $"The teacher gave {done} answers where {key.Entries} were expected. It must answer for every row, and its data must hold the same rows in every pass.");
        }
    }

    private void CheckIds(long first, IReadOnlyList<RowId> given)
    {
        for (var i = 0; i < given.Count; i++)
        {
            var (view, row) = Math.DivRem(first + i, key.Rows);
            if (view == 0)
                ids.Add(given[i]);
            else if (ids[(int)row] != given[i])
                throw new InvalidOperationException($"Row {row} of view {view + 1} is row id {given[i]}, of view 1 row id {ids[(int)row]}; all views must have one order.");
        }
    }
}

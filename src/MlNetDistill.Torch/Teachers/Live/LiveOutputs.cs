using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>Computes a teacher's outputs for all rows of a set, batch by batch.</summary>
internal static class LiveOutputs
{
    /// <summary>
    /// The outputs in the order of the set, or in another fixed order, view after view, from entry <paramref name="from"/> on. Each chunk is disposed when the
    /// next is requested.
    /// </summary>
    /// <param name="set">The rows.</param>
    /// <param name="kept">The outputs to compute.</param>
    /// <param name="view">Augments rows; null for no augmentation.</param>
    /// <param name="caching">Number of views and rows of a batch.</param>
    /// <param name="from">Number of entries that exist already.</param>
    /// <param name="query">Computes the outputs of a batch.</param>
    /// <param name="order">All positions in the order of the queries; null for the order of the set.</param>
    /// <param name="known">Looks up the outputs of a batch that were computed before; null if there are none.</param>
    public static IEnumerable<OutputChunk> Enumerate(
        IRowSource set, ModelOutputs kept, Func<Tensor, int, Batch>? view, TeacherCaching caching, long from, Func<Batch, ModelOutputs, NetworkOutput> query,
        long[]? order = null, Func<Tensor, Tensor[]?>? known = null)
    {
        var views = view is null ? 1 : caching.Options.AugmentedViews;
        for (var number = 1 + (int)(from / set.Count); number <= views; number++)
        {
            var first = number == 1 + (int)(from / set.Count) ? from % set.Count : 0;
            // The same batches as in an uninterrupted run: kernels depend on the batch size, and so do the last digits.
            var at = first - (first % caching.BatchSize);
            using var all = (order is null ? TensorArithmetic.Range(set.Count, set.Device) : tensor(order, device: set.Device)).DetachFromDisposeScope();
            using var rest = all.narrow(0, at, set.Count - at).DetachFromDisposeScope();
            foreach (var positions in Chunks.Split(rest, caching.BatchSize))
            {
                var parts = (at >= first ? known?.Invoke(positions) : null) ?? QueryOutputs(query, view is null ? Batch.Gather : (s, p) => view(p, number), set, positions, kept, (int)Math.Max(0, first - at));
                var begin = Math.Max(at, first);
                RowId[] ids = [.. Enumerable.Range(0, (int)parts[0].shape[0]).Select(i => set.RowIds[order is null ? begin + i : order[begin + i]])];
                at += positions.shape[0];
                using var chunk = new OutputChunk(ids, parts);
                CheckFinite(parts, ids, caching.Name, view is not null);
                yield return chunk;
            }
        }
    }

    /// <summary>Copies a batch's outputs as a cache stores them: 32-bit floats on the CPU, which the caller disposes.</summary>
    public static Tensor[] CopyOutputs(NetworkOutput output, ModelOutputs kept)
    {
        using var noGrad = no_grad();
        return [.. Outputs(output, kept).Select(part => part.to(float32, CPU).clone().DetachFromDisposeScope())];
    }

    /// <summary>An answer that is no number would be kept for every epoch.</summary>
    private static void CheckFinite(Tensor[] parts, RowId[] ids, string teacher, bool augmented)
    {
        using var scope = NewDisposeScope();
        foreach (var part in parts)
        {
            var isFinite = part.isfinite();
            if (isFinite.all().item<bool>())
                continue;
            var row = isFinite.flatten(1).all(1).to(int64).argmin().item<long>();
            throw new InvalidOperationException(
                $"The teacher ({teacher}) gives outputs that are NaN or infinite for the row with id {ids[row]}{(augmented ? ", augmented" : "")}. Check its weights and the scale of its input, or leave the row out.");
        }
    }

    private static IEnumerable<Tensor> Outputs(NetworkOutput output, ModelOutputs kept) =>
    [
        output.Logits,
        .. kept.HasFlag(ModelOutputs.Embedding) ? [output.Embedding] : Array.Empty<Tensor>(),
        .. kept.HasFlag(ModelOutputs.StageFeatures) ? output.StageFeatures : [],
    ];

    private static Tensor[] QueryOutputs(
        Func<Batch, ModelOutputs, NetworkOutput> query, Func<IRowSource, Tensor, Batch> getBatch, IRowSource set, Tensor positions, ModelOutputs kept, int skipped)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        return [.. Outputs(query(getBatch(set, positions), kept), kept).Select(CopyRest)];

        // Without the rows that exist already.
        Tensor CopyRest(Tensor part)
        {
            var copy = part.to(float32, CPU);
            // With a small teacher the time of every call matters.
            return (skipped == 0 ? copy : copy.narrow(0, skipped, copy.shape[0] - skipped)).DetachFromDisposeScope();
        }
    }
}

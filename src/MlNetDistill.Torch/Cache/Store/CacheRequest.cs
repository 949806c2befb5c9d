using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Cache;

/// <summary>A request for cached outputs to a <see cref="CacheStore"/>.</summary>
/// <param name="Key">What the outputs depend on. A cache with more outputs can be used as well.</param>
/// <param name="Order">Row ids by position. Each must be among the teacher's rows; a row id that the teacher returns twice must have equal outputs.</param>
/// <param name="Device">Device of the outputs.</param>
/// <param name="OutputsFrom">
/// Computes the outputs from an entry on, in an order that is always the same: all rows of view 1 first, then those of view 2 in the same order. Not called
/// if all are cached. It is enumerated at most once, on the calling thread.
/// </param>
internal sealed record CacheRequest(CacheFileKey Key, RowIds Order, Device Device, Func<long, IEnumerable<OutputChunk>> OutputsFrom)
{
    /// <summary>Checks a cache that an earlier run built or began: null, or the end of a sentence that describes why it is stale.</summary>
    public Func<CachedOutputs, string?>? FindMismatch { get; init; }

    /// <summary>Whether the cache of an interrupted run may be continued.</summary>
    public bool IsResumable { get; init; } = true;

    /// <summary>Bytes of the outputs in memory.</summary>
    public long Bytes => CacheField.CreateAll(Key).Sum(f => (long)f.Bytes) * Order.Count * Math.Max(1, Key.AugmentedViews);
}

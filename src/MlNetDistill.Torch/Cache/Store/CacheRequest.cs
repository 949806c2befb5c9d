using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Cache;

/// <summary>What is asked of a <see cref="CacheStore"/>.</summary>
/// <param name="Key">What the answers depend on. A cache that keeps more serves too.</param>
/// <param name="Order">Row ids by position. Each must be among the answers; one that is there twice must have the same answers.</param>
/// <param name="Device">Where the answers are wanted.</param>
/// <param name="AnswersFrom">
/// The answers from entry n on, as n are there already, in an order that is always the same; with views all rows of view 1 first, then those of view 2
/// in the same order. Not called when all are there. It is enumerated at most once, on this thread.
/// </param>
internal sealed record CacheRequest(CacheFileKey Key, RowIds Order, Device Device, Func<long, IEnumerable<OutputChunk>> AnswersFrom)
{
    /// <summary>Asked about a cache that an earlier run made, or began: null, or what is wrong with it, as the end of a sentence; then it is stale.</summary>
    public Func<CachedOutputs, string?>? Verify { get; init; }

    /// <summary>Whether an interrupted run's answers may be continued.</summary>
    public bool IsResumable { get; init; } = true;

    /// <summary>Bytes that the answers take in memory.</summary>
    public long Bytes => CacheField.Of(Key).Sum(f => (long)f.Bytes) * Order.Count * Math.Max(1, Key.AugmentedViews);
}

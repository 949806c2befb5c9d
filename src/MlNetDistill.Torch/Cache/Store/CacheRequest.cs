using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Cache;

/// <summary>What is asked of a <see cref="CacheStore"/>; its Open says what each part is.</summary>
internal sealed record CacheRequest(
    CacheFileKey Key,
    IReadOnlyList<RowId> Order,
    Device Device,
    Func<long, IEnumerable<OutputChunk>> AnswersFrom,
    Func<CachedOutputs, string?>? Verify,
    bool IsResumable);

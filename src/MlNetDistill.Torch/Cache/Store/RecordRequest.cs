using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Cache;

/// <summary>What is asked of a <see cref="RecordStore"/>; its Open says what each part is.</summary>
internal sealed record RecordRequest(
    RecordKey Key,
    IReadOnlyList<RowId> Order,
    Device Device,
    Func<long, IEnumerable<AnswerChunk>> AnswersFrom,
    Func<RecordedAnswers, string?>? Verify,
    bool IsResumable);

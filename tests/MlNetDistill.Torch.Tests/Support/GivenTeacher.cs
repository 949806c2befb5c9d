using MlNetDistill.Cache;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>A teacher of given logits, N×K in the order of the set, which it gives from a record, in an order of its own.</summary>
internal sealed class GivenTeacher(Tensor logits) : RecordableTeacher(Recording.InMemory(64))
{
    public override OutputShapes Shapes { get; } = new((int)logits.shape[1]);

    public override void Dispose()
    {
        base.Dispose();
        logits.Dispose();
    }

    protected override string Identity() => throw new InvalidOperationException("Records in memory need no name.");

    protected override NetworkOutput Live(Batch batch, OutputKinds wanted) => throw new InvalidOperationException("It answers from its record alone.");

    protected override IEnumerable<AnswerChunk> AnswersFrom(TrainingSet set, OutputKinds kept, Func<Tensor, int, Batch>? view, long from)
    {
        var order = Enumerable.Range(0, set.Count).Select(i => (long)i).OrderBy(i => (i * 7919) % 101).Skip((int)from).ToArray();
        using var positions = tensor(order);
        using var part = logits.index_select(0, positions).DetachFromDisposeScope();
        yield return new AnswerChunk([.. order.Select(i => set.RowIds[(int)i])], [part]);
    }
}

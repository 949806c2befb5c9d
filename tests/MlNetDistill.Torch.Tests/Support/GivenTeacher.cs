using MlNetDistill.Cache;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>A teacher of given logits, N×K in the order of the set, which it returns from a cache, in an order of its own.</summary>
internal sealed class GivenTeacher(Tensor logits) : CacheableTeacher(TeacherCaching.InMemory(64))
{
    public override OutputShapes Shapes { get; } = new((int)logits.shape[1]);

    public override void Dispose()
    {
        base.Dispose();
        logits.Dispose();
    }

    protected override string ComputeContentHash() => throw new InvalidOperationException("Caches in memory have no key.");

    protected override NetworkOutput ComputeOutputs(Batch batch, ModelOutputs wanted) => throw new InvalidOperationException("All its outputs are cached.");

    protected override IEnumerable<OutputChunk> EnumerateOutputs(IRowSource set, ModelOutputs kept, Func<Tensor, int, Batch>? view, long from)
    {
        var order = Enumerable.Range(0, (int)set.Count).Select(i => (long)i).OrderBy(i => (i * 7919) % 101).Skip((int)from).ToArray();
        using var positions = tensor(order);
        using var part = logits.index_select(0, positions).DetachFromDisposeScope();
        yield return new OutputChunk([.. order.Select(i => set.RowIds[i])], [part]);
    }
}

using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Cache;

/// <summary>What a cache in a file needs in memory for each row.</summary>
public sealed class RowIdMemoryTests
{
    private const int Rows = 300_000;
    private CacheRun _run = null!;

    [SetUp]
    public void MakeFolder() => _run = new CacheRun();

    [TearDown]
    public void RemoveFolder() => _run.Dispose();

    [TestCase(false, 1, Description = "nothing: ids that count up are kept as one number for thousands of rows")]
    [TestCase(true, 32, Description = "16 bytes for the id, 6 to find it by, 8 for the place of its row")]
    public void A_cache_in_a_file_is_opened_with_few_bytes_for_each_row(bool inAnotherOrder, int bytesPerRow)
    {
        var key = ToyCache.Key(Rows) with { Kept = ModelOutputs.Logits };
        RowId[] ids = [.. Enumerable.Range(0, Rows).Select(row => new RowId((ulong)row, 0))];
        if (inAnotherOrder)
            new Random(1).Shuffle(ids);
        var order = RowIds.From(ids.OrderBy(id => id.Low));
        var options = new TeacherCacheOptions { Folder = _run.Folder, MemoryLimit = 0 };
        Open(Outputs).Dispose();

        var before = GC.GetAllocatedBytesForCurrentThread();
        using var cached = Open(_ => throw new AssertionException("the teacher was queried again"));
        Assert.That((GC.GetAllocatedBytesForCurrentThread() - before) / (double)Rows, Is.LessThan(bytesPerRow));
        using var scope = NewDisposeScope();
        Assert.That(Near.Values(cached.Read(tensor([0L, 123_456, Rows - 1]), ModelOutputs.Logits).Logits[TensorIndex.Colon, 0]), Is.EqualTo(new double[] { 0, 123_456, Rows - 1 }));

        CachedOutputs Open(Func<long, IEnumerable<OutputChunk>> outputs) => new CacheStore(options, _run.Folder, _ => { }, _ => { }, default).Open(new(key, order, CPU, outputs));

        IEnumerable<OutputChunk> Outputs(long from)
        {
            foreach (var chunk in ids.Skip((int)from).Chunk(1000))
            {
                // The first logit is the number of the row.
                using var logits = tensor([.. chunk.SelectMany(id => Enumerable.Range(0, ToyCache.Classes).Select(c => c == 0 ? (float)id.Low : c))], [chunk.Length, ToyCache.Classes]);
                yield return new(chunk, [logits]);
            }
        }
    }
}

using MlNetDistill.Cache;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Cache;

/// <summary>The memory that outputs take; a batch leaves nothing behind.</summary>
public sealed class MemoryTests
{
    private CacheRun _run = null!;

    [SetUp]
    public void MakeFolder() => _run = new CacheRun();

    [TearDown]
    public void RemoveFolder() => _run.Dispose();

    [TestCase(CachePrecision.Single, null, 0, 300 * 7 * 4)]
    [TestCase(CachePrecision.Half, null, 0, 300 * 7 * 2)]
    [TestCase(CachePrecision.Single, null, 3, 3 * 300 * 7 * 4)]
    [TestCase(CachePrecision.Half, 2, 0, 300 * ((2 * 2) + (2 * 2) + 4))]
    public void Outputs_are_held_in_memory_up_to_the_limit_and_in_the_file_beyond(CachePrecision precision, int? topK, int views, int bytes)
    {
        var key = ToyCache.Key(300, precision: precision, topK: topK, views: views);
        foreach (var folder in new[] { _run.Folder, null })
        {
            using var held = _run.Open(key, options: new() { Folder = folder, MemoryLimit = bytes });
            using var stored = _run.Open(key, options: new() { Folder = folder, MemoryLimit = bytes - 1 });
            Assert.That((held.InMemory, held.Bytes, stored.InMemory, stored.Bytes), Is.EqualTo((true, (long)bytes, false, 0L)));
            for (var view = Math.Min(1, views); view <= views; view++)
                Assert.That(Bits(stored, view), Is.EqualTo(Bits(held, view)));
        }
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "There, no other program can cut the file.")]
    public void A_file_that_is_cut_while_it_is_used_is_an_error_and_does_not_end_the_process()
    {
        using var scope = NewDisposeScope();
        using var cached = _run.Open(ToyCache.Key(300), options: new() { Folder = _run.Folder, MemoryLimit = 0 });
        var path = Directory.GetFiles(_run.Folder, "*", SearchOption.AllDirectories).Single();
        using (var other = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            RandomAccess.SetLength(other, 2000);
        Assert.That(
            () => cached.Read(tensor(new[] { 299L }), ModelOutputs.Logits), Throws.InstanceOf<IOException>().With.Message.Contains($"The teacher cache '{path}' was cut while it was in use"));
    }

    [Test]
    public void A_temporary_file_leaves_nothing_behind()
    {
        var cached = _run.Open(ToyCache.Key(300), options: new() { MemoryLimit = 0 });
        if (!OperatingSystem.IsWindows())
            Assert.That(Directory.GetFiles(_run.Folder, "*", SearchOption.AllDirectories), Is.Empty, "not even while it is open");
        cached.Dispose();
        Assert.That(Directory.GetFiles(_run.Folder, "*", SearchOption.AllDirectories), Is.Empty);
        Assert.That(() => _run.Open(ToyCache.Key(300), options: new() { MemoryLimit = 0 }, outputs: _ => throw new IOException()), Throws.InstanceOf<IOException>());
        Assert.That(Directory.GetFiles(_run.Folder, "*", SearchOption.AllDirectories), Is.Empty);
    }

    [TestCase(CachePrecision.Single, null)]
    [TestCase(CachePrecision.Half, null)]
    [TestCase(CachePrecision.Half, 3)]
    public void The_first_run_and_a_later_one_see_the_same_bits(CachePrecision precision, int? topK)
    {
        var key = ToyCache.Key(300, ToyCache.All, precision, topK);
        using var unkept = _run.Open(key, options: new());
        using var cold = _run.Open(key);
        using var warm = _run.Open(key);
        Assert.That(Bits(cold), Is.EqualTo(Bits(unkept)));
        Assert.That(Bits(warm), Is.EqualTo(Bits(unkept)));
        Assert.That(_run.QueriedFrom, Has.Count.EqualTo(2));
    }

    [TestCase(true, CachePrecision.Single, null)]
    [TestCase(true, CachePrecision.Half, 3)]
    [TestCase(false, CachePrecision.Single, null)]
    [TestCase(false, CachePrecision.Half, 3)]
    public void A_batch_leaves_no_tensor_and_no_managed_memory_behind(bool held, CachePrecision precision, int? topK)
    {
        using var cached = _run.Open(
            ToyCache.Key(2000, ToyCache.All, precision, topK, 2), options: new() { Folder = _run.Folder, MemoryLimit = held ? 1 << 30 : 0 });
        using var positions = arange(0, 2000, 2);
        using var scope = NewDisposeScope();
        Read();
        // What other tests left to the collector must not go meanwhile.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var (live, allocated) = (Tensor.TotalCount, GC.GetAllocatedBytesForCurrentThread());
        for (var i = 0; i < 100; i++)
            Read();
        Assert.That(Tensor.TotalCount, Is.EqualTo(live));
        // A batch has 1000 rows of 136 bytes; what is left to the collector are the objects that tensors are handled by.
        Assert.That((GC.GetAllocatedBytesForCurrentThread() - allocated) / 100, Is.LessThan(16_000));

        void Read()
        {
            using var inner = NewDisposeScope();
            cached.Read(positions, ToyCache.All, 2);
        }
    }

    [Test]
    public void Opening_and_closing_leaves_no_tensor_behind()
    {
        _run.Make(ToyCache.Key(300, ToyCache.All));
        var live = Tensor.TotalCount;
        _run.Open(ToyCache.Key(300, ToyCache.All)).Dispose();
        _run.Open(ToyCache.Key(300, ToyCache.All), [.. ToyCache.Ids(300).Reverse()], options: new()).Dispose();
        Assert.That(Tensor.TotalCount, Is.EqualTo(live));
    }

    [Test]
    public void All_logits_are_one_tensor_if_they_are_held_in_memory_unchanged()
    {
        var order = ToyCache.Ids(300).Reverse().ToArray();
        using var cached = _run.Open(ToyCache.Key(300), order);
        using var stored = _run.Open(ToyCache.Key(300), order, options: new() { Folder = _run.Folder, MemoryLimit = 0 });
        using var half = _run.Open(ToyCache.Key(300, precision: CachePrecision.Half));
        using var top = _run.Open(ToyCache.Key(300, topK: 2));
        using var views = _run.Open(ToyCache.Key(300, views: 1));
        using var embedding = _run.Open(ToyCache.Key(300, ModelOutputs.Embedding));
        Assert.That(new[] { stored, half, top, views, embedding }.Select(a => a.WholeLogits), Is.All.Null);
        Assert.That(Near.Values(cached.WholeLogits!), Is.EqualTo(Bits(cached)));
    }

    private static double[] Bits(CachedOutputs cached, int view = 0)
    {
        using var scope = NewDisposeScope();
        var output = cached.Read(arange(300), cached.Kept, view);
        return
        [
            .. Near.Values(output.Logits),
            .. cached.Kept.HasFlag(ModelOutputs.Embedding) ? Near.Values(output.Embedding) : [],
            .. cached.Kept.HasFlag(ModelOutputs.StageFeatures) ? output.StageFeatures.SelectMany(Near.Values) : [],
        ];
    }
}

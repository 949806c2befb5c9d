using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Cache;

/// <summary>When a cache is used, when it is not, and what is logged.</summary>
public sealed class ReuseTests
{
    private const ModelOutputs Both = ModelOutputs.Logits | ModelOutputs.Embedding;
    private readonly CacheFileKey _key = ToyCache.Key(300);
    private CacheRun _run = null!;

    [SetUp]
    public void MakeFolder() => _run = new CacheRun();

    [TearDown]
    public void RemoveFolder() => _run.Dispose();

    [Test]
    public void A_cache_is_built_once()
    {
        _run.Make(_key);
        _run.Make(_key);
        Assert.That(_run.QueriedFrom, Is.EqualTo(new long[] { 0 }));
        Assert.That(_run.Infos[^1], Is.EqualTo($"The teacher's outputs are read from {_run.File(_key)}."));
        Assert.That(_run.Warnings, Is.Empty);
    }

    [Test]
    public void A_cache_is_rebuilt_on_demand()
    {
        var first = _run.Make(_key);
        Assert.That(_run.Make(_key, _run.With(CacheMode.Rebuild)), Is.EqualTo(first));
        Assert.That(_run.QueriedFrom, Is.EqualTo(new long[] { 0, 0 }));
    }

    [Test]
    public void A_cache_in_use_can_be_replaced()
    {
        using var used = _run.Open(_key, options: new() { Folder = _run.Folder, MemoryLimit = 0 });
        var before = Logits(used);
        _run.Make(_key, _run.With(CacheMode.Rebuild), from => ToyCache.Outputs(_key, ToyCache.Ids(300, first: 1000), from, chunk: 7));
        Assert.That(Logits(used), Is.EqualTo(before));
    }

    [TestCase(ModelOutputs.Logits)]
    [TestCase(ModelOutputs.Embedding)]
    public void A_cache_with_more_outputs_is_used(ModelOutputs wanted)
    {
        _run.Make(_key with { Kept = Both });
        using var cached = _run.Open(_key with { Kept = wanted });
        Assert.That((cached.Kept, cached.Bytes), Is.EqualTo((wanted, 300L * 4 * (wanted == ModelOutputs.Logits ? 7 : 5))));
        Assert.That(_run.QueriedFrom, Is.EqualTo(new long[] { 0 }));
        Assert.That(Directory.GetFiles(_run.Folder), Has.Length.EqualTo(1));
        using var positions = arange(1);
        Assert.That(() => cached.Read(positions, Both), Throws.InvalidOperationException.With.Message.StartsWith("The teacher cache contains "));
    }

    [Test]
    public void A_cache_with_fewer_outputs_is_not_used()
    {
        _run.Make(_key);
        _run.Make(_key with { Kept = Both });
        Assert.That(_run.QueriedFrom, Is.EqualTo(new long[] { 0, 0 }));
        Assert.That(_run.Infos, Has.Some.EndsWith(".teacher, differs in kept outputs (cached: [\"logits\"]; needed: [\"logits\",\"embedding\"])."));
    }

    [TestCase("teacher", "teacher (cached: toy teacher; needed: other)")]
    [TestCase("data", "data (cached: toy data; needed: other)")]
    [TestCase("classes", "classes (cached: a, b, c, d, e, f, g; needed: other)")]
    [TestCase("precision", "precision (cached: single; needed: half)")]
    [TestCase("top-k", "top-k (cached: none; needed: 2)")]
    [TestCase("views", "number of views (cached: 0; needed: 2), augmentation (cached: none; needed: flip)")]
    [TestCase("rows", "number of rows (cached: 300; needed: 299)")]
    public void Without_a_match_the_most_similar_cache_is_named_with_its_differences(string part, string differences)
    {
        var key = part switch
        {
            "teacher" => _key with { Teacher = "other" },
            "data" => _key with { Data = "other" },
            "classes" => _key with { Classes = "other" },
            "precision" => _key with { Precision = CachePrecision.Half },
            "top-k" => _key with { TopK = 2 },
            "views" => _key with { AugmentedViews = 2, Augmentation = "flip" },
            _ => _key with { Rows = 299 },
        };
        _run.Make(_key);
        var similar = $"The most similar one, {_key.FileName}, differs in {differences}.";
        Assert.That(() => _run.Open(key, options: _run.With(CacheMode.UseOnly)), Throws.InvalidOperationException.With.Message.EqualTo(
            $"The folder {_run.Folder} contains no teacher cache {key.FileName}. {similar} Set Mode to UseOrCreate to build it, or Folder to the folder that contains it."));
        _run.Make(key);
        Assert.That(_run.Infos, Has.Some.EqualTo($"The folder {_run.Folder} contains no matching teacher cache. {similar}"));
    }

    [Test]
    public void A_stale_cache_is_rebuilt()
    {
        _run.Make(_key);
        var queries = 0;
        _run.Open(_key, verify: cached => ++queries > 0 && cached.AugmentedViews == 0 ? "row id 1000 is different now" : null).Dispose();
        Assert.That(queries, Is.EqualTo(1), "a new cache is not verified");
        Assert.That(_run.QueriedFrom, Is.EqualTo(new long[] { 0, 0 }));
        Assert.That(_run.Warnings, Is.EqualTo(new[]
        {
            $"The teacher cache {_run.File(_key)} cannot be used: row id 1000 is different now. The teacher is queried again.",
        }));
        Assert.That(() => _run.Open(_key, options: _run.With(CacheMode.UseOnly), verify: _ => "stale"), Throws.InvalidOperationException);
    }

    // Blocks of 256 entries, chunks of 50. In the second case the rows of the first view, which tell the ids, end within a block.
    [TestCase(0, 6, 256)]
    [TestCase(2, 18, 768)]
    public void A_partial_cache_is_continued_after_its_last_whole_block(int views, int chunks, long from)
    {
        var key = ToyCache.Key(600, views: views);
        var ids = ToyCache.Ids(600);
        Assert.That(() => _run.Open(key, outputs: first => ToyCache.Outputs(key, ids, first).Take(chunks)), Throws.InvalidOperationException);
        RowId[] order = [.. ids.Reverse()];
        using (var cached = _run.Open(key, order, ids))
        {
            using var scope = NewDisposeScope();
            var view = views == 0 ? 0 : 1;
            Assert.That(
                Near.Values(cached.Read(arange(600), ModelOutputs.Logits, view).Logits),
                Is.EqualTo(order.SelectMany(id => Enumerable.Range(0, ToyCache.Classes).Select(place => (double)ToyCache.Value(id, view, 0, place)))));
        }

        Assert.That(_run.QueriedFrom, Is.EqualTo(new[] { 0, from }));
        using var whole = new CacheRun();
        Assert.That(File.ReadAllBytes(_run.File(key)), Is.EqualTo(whole.Make(key)));
    }

    [Test]
    public void Outputs_whose_elements_are_not_in_order_are_stored_as_they_are_read()
    {
        IEnumerable<OutputChunk> Transposed(long from)
        {
            foreach (var chunk in ToyCache.Outputs(_key, ToyCache.Ids(300), from))
            {
                using var transposed = chunk with { Parts = [.. chunk.Parts.Select(Transpose)] };
                yield return transposed;
            }
        }

        static Tensor Transpose(Tensor values)
        {
            using var scope = NewDisposeScope();
            return values.t().contiguous().t().DetachFromDisposeScope();
        }

        var stored = _run.Make(_key);
        Assert.That(_run.Make(_key, _run.With(CacheMode.Rebuild), Transposed), Is.EqualTo(stored));
    }

    [Test]
    public void A_stale_partial_cache_is_not_continued()
    {
        var key = ToyCache.Key(600);
        var ids = ToyCache.Ids(600);
        Assert.That(() => _run.Open(key, outputs: from => ToyCache.Outputs(key with { AugmentedViews = 1 }, ids, from).Take(6)), Throws.InvalidOperationException);
        using var whole = new CacheRun();
        var verified = 0;
        _run.Open(key, verify: _ => verified++ == 0 ? "the first row is different now" : null).Dispose();
        Assert.That(_run.QueriedFrom, Is.EqualTo(new long[] { 0, 256, 0 }));
        Assert.That(File.ReadAllBytes(_run.File(key)), Is.EqualTo(whole.Make(key)));
    }

    [Test]
    public void Another_version_of_the_library_reads_the_same_caches()
    {
        var file = new CacheFile(_run.Make(_key));
        var elsewhere = new CacheLayout(_key, "MlNetDistill.Torch 99.1");
        File.Delete(_run.File(_key));
        using (var stream = File.Create(_run.File(_key)))
        using (var writer = new CacheWriter(stream, elsewhere))
            writer.Write(writer.Resume(default), from => ToyCache.Outputs(_key, ToyCache.Ids(300), from), default);
        Assert.That(new CacheFile(_run.Make(_key)).HeaderBytes, Is.Not.EqualTo(file.HeaderBytes));
        Assert.That((_run.QueriedFrom.Count, _run.Warnings.Count), Is.EqualTo((1, 0)));
    }

    [Test]
    public void A_folder_that_cannot_be_made_is_named()
    {
        var file = Path.Combine(_run.Folder, "file");
        File.WriteAllText(file, "");
        Assert.That(() => _run.Open(_key, options: new() { Folder = Path.Combine(file, "caches") }), Throws.InvalidOperationException.With.Message.StartsWith(
            $"The folder '{Path.Combine(file, "caches")}' for teacher caches cannot be written: "));
    }

    [Test]
    public void A_folder_is_made()
    {
        var folder = Path.Combine(_run.Folder, "deep", "down");
        _run.Open(_key, options: new() { Folder = folder }).Dispose();
        Assert.That(File.Exists(Path.Combine(folder, _key.FileName)));
    }

    [Test]
    public void A_file_name_lists_the_kept_outputs() => Assert.That(
        Enum.GetValues<ModelOutputs>().Append(ToyCache.All).Where(k => k != ModelOutputs.None).Select(k => (_key with { Kept = k }).FileName),
        Is.EqualTo(new[] { "logits", "embedding", "stages", "logits+embedding+stages" }.Select(kept => $"{_key.FileName[..16]}-{kept}.teacher")));

    private static double[] Logits(CachedOutputs cached)
    {
        using var scope = NewDisposeScope();
        return Near.Values(cached.Read(arange(300), ModelOutputs.Logits).Logits);
    }
}

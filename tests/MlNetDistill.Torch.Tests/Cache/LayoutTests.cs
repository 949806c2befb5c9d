using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Networks;

namespace MlNetDistill.Tests.Cache;

/// <summary>The file is as documented, to the byte.</summary>
public sealed class LayoutTests
{
    [TestCase(CachePrecision.Single)]
    [TestCase(CachePrecision.Half)]
    public void Every_value_stands_where_the_documentation_says(CachePrecision precision)
    {
        using var run = new CacheRun();
        var file = new CacheFile(run.Make(ToyCache.Key(600, ToyCache.All, precision, views: 2)));
        Assert.That(file.Bytes.AsSpan(0, 8).ToArray(), Is.EqualTo("MLNDTREC"u8.ToArray()));
        Assert.That(file.Bytes.AsSpan(file.HeaderBytes - 32, 32).ToArray(), Is.EqualTo(file.HeaderHash));
        Assert.That(file.Blocks.Select(b => b.Count), Is.EqualTo(new[] { 256, 256, 256, 256, 176 }));
        for (var entry = 0; entry < 1200; entry++)
        {
            var (block, row) = (entry / 256, entry % 256);
            var id = new RowId(1000 + (ulong)(entry % 600), (ulong)(entry % 600 % 3));
            Assert.That(file.Id(block, row), Is.EqualTo(id));
            foreach (var (name, part, length) in new[] { ("logits", 0, 7), ("embedding", 1, 5), ("stage feature 1", 2, 18), ("stage feature 2", 3, 4) })
            {
                var expected = Enumerable.Range(0, length).Select(i => ToyCache.Value(id, 1 + (entry / 600), part, i));
                Assert.That(file.Values(block, row, name), Is.EqualTo(expected.Select(v => (double)(precision == CachePrecision.Half ? (float)(Half)v : v))));
            }
        }
    }

    [Test]
    public void Every_hash_is_of_what_the_documentation_says()
    {
        using var run = new CacheRun();
        var file = new CacheFile(run.Make(ToyCache.Key(600, ModelOutputs.Embedding)));
        for (var block = 0; block < file.Blocks.Count; block++)
        {
            var (start, length, _) = file.Blocks[block];
            Assert.That(file.Bytes.AsSpan(start + length - 32, 32).ToArray(), Is.EqualTo(file.BlockHash(block)));
        }

        var footer = file.Bytes.AsSpan(file.FooterStart);
        Assert.That(footer.Length, Is.EqualTo(48));
        Assert.That((BitConverter.ToInt64(footer), BitConverter.ToInt64(footer[8..])), Is.EqualTo((3L, 600L)));
        Assert.That(footer[16..].ToArray(), Is.EqualTo(file.FooterHash));
    }

    [Test]
    public void Top_logits_stand_by_falling_size_with_their_classes()
    {
        using var run = new CacheRun();
        var file = new CacheFile(run.Make(ToyCache.Key(300, topK: 3)));
        Assert.That(file.Fields.Select(f => (f.Name, f.Type, f.Values)), Is.EqualTo(new[]
        {
            ("top classes", "uint16", 3), ("top logits", "float32", 3), ("log-sum-exp of the other logits", "float32", 1),
        }));
        for (var row = 0; row < 256; row++)
        {
            var id = file.Id(0, row);
            var falling = Enumerable.Range(0, 7).Select(i => (Class: i, Logit: ToyCache.Value(id, 0, 0, i))).OrderByDescending(v => v.Logit).ToArray();
            Assert.That(file.Values(0, row, "top classes"), Is.EqualTo(falling.Take(3).Select(v => (double)v.Class)));
            Assert.That(file.Values(0, row, "top logits"), Is.EqualTo(falling.Take(3).Select(v => (double)v.Logit)));
            Assert.That(
                file.Values(0, row, "log-sum-exp of the other logits")[0],
                Is.EqualTo(Math.Log(falling.Skip(3).Sum(v => Math.Exp(v.Logit)))).Within(1e-6));
        }
    }

    [Test]
    public void The_header_describes_the_cache()
    {
        using var run = new CacheRun();
        var header = new CacheFile(run.Make(ToyCache.Key(300, ToyCache.All, CachePrecision.Half, 2, 3))).Header;
        Assert.That(header.GetProperty("writtenBy").GetString(), Does.StartWith("MlNetDistill.Torch "));
        Assert.That(header.GetProperty("format").GetInt32(), Is.EqualTo(1));
        Assert.That(header.GetProperty("teacher").GetString(), Is.EqualTo("toy teacher"));
        Assert.That(header.GetProperty("precision").GetString(), Is.EqualTo("half"));
        Assert.That(header.GetProperty("topK").GetInt32(), Is.EqualTo(2));
        Assert.That((header.GetProperty("rows").GetInt32(), header.GetProperty("views").GetInt32(), header.GetProperty("entries").GetInt32()), Is.EqualTo((300, 3, 900)));
        Assert.That(header.GetProperty("kept").EnumerateArray().Select(k => k.GetString()), Is.EqualTo(new[] { "logits", "embedding", "stages" }));
    }

    [Test]
    public void Large_rows_come_in_smaller_blocks()
    {
        using var run = new CacheRun();
        var wide = ToyCache.Key(9) with { Shapes = new(100_000), Kept = ModelOutputs.Logits, TopK = 99_000 };
        var file = new CacheFile(run.Make(wide, outputs: from => WideOutputs.Enumerate(wide, from)));
        Assert.That(file.Fields.First().Type, Is.EqualTo("uint32"));
        Assert.That(file.Blocks.Select(b => b.Count), Is.All.EqualTo(1));
        Assert.That(file.Values(8, 0, "top classes").Take(3), Is.EqualTo(new double[] { 99_999, 99_998, 99_997 }));
    }
}

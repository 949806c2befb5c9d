using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Cache;

/// <summary>Outputs belong to row ids: in another order, twice, or missing.</summary>
public sealed class JoinTests
{
    private static readonly RowId[] Three = [new(0, 0), new(1, 0), new(2, 0)];

    private CacheRun _run = null!;

    [SetUp]
    public void MakeFolder() => _run = new CacheRun();

    [TearDown]
    public void RemoveFolder() => _run.Dispose();

    [TestCase("memory")]
    [TestCase("file")]
    [TestCase("loaded")]
    [TestCase("mapped")]
    public void A_row_may_come_twice_with_equal_outputs(string place)
    {
        using var cached = Open(place, [0, 1, 2, 1], [0, 10, 20, 10]);
        Assert.That(First(cached, 2, 1, 0), Is.EqualTo(new double[] { 20, 10, 0 }));
    }

    [TestCase("memory")]
    [TestCase("file")]
    [TestCase("loaded")]
    [TestCase("mapped")]
    public void Two_different_outputs_for_one_row_are_refused(string place) => Assert.That(
        () => Open(place, [0, 1, 2, 1], [0, 10, 20, 11]),
        Throws.InvalidOperationException.With.Message.EqualTo("The teacher returned different outputs for two rows with id 1. Row ids must be unique."));

    [TestCase("memory")]
    [TestCase("file")]
    [TestCase("loaded")]
    [TestCase("mapped")]
    public void A_row_without_outputs_is_named(string place) => Assert.That(() => Open(place, [2, 0], [20, 0]), Throws.InvalidOperationException.With.Message.EqualTo(
        "The teacher returned no outputs for row id 1 (training row 1); its data view must contain all rows of the training data."));

    [TestCase("memory")]
    [TestCase("mapped")]
    public void A_row_may_be_at_two_positions(string place)
    {
        using var cached = Open(place, [2, 0, 1], [20, 0, 10], [.. Three, Three[2]]);
        Assert.That(First(cached, 3, 2, 1, 0), Is.EqualTo(new double[] { 20, 20, 10, 0 }));
    }

    [Test]
    public void Both_halves_of_a_row_id_count()
    {
        RowId[] ids = [new(1, 1), new(1, 0)];
        using var cached = _run.Open(Key(2), [new(1, 0), new(1, 1)], options: new(), outputs: _ => [Chunk(ids, [5, 6])]);
        Assert.That(First(cached, 0, 1), Is.EqualTo(new double[] { 6, 5 }));
    }

    [Test]
    public void Views_in_different_orders_are_refused()
    {
        var key = ToyCache.Key(3, views: 2);
        var turned = ToyCache.Outputs(key, ToyCache.Ids(3), 0, 3).Take(1).Concat(ToyCache.Outputs(key, [.. ToyCache.Ids(3).Reverse()], 3, 3));
        Assert.That(() => _run.Open(key, outputs: _ => turned), Throws.InvalidOperationException.With.Message.EqualTo(
            "The teacher returned row id 2-3ea as row 0 of view 2; in view 1 this row has id 1000. All views must have the same order."));
    }

    private static CacheFileKey Key(int rows) => ToyCache.Key(rows) with { Shapes = new OutputShapes(2) };

    private static OutputChunk Chunk(RowId[] ids, float[] first) => new(ids, [stack([tensor(first), zeros(first.Length)], 1)]);

    private CachedOutputs Open(string place, ulong[] ids, float[] first, RowId[]? order = null)
    {
        var options = new TeacherCacheOptions
        {
            Folder = place is "memory" or "file" ? null : _run.Folder,
            MemoryLimit = place is "memory" or "loaded" ? 1 << 20 : 0,
        };
        return _run.Open(Key(ids.Length), order ?? Three, options: options, outputs: _ => [Chunk([.. ids.Select(id => new RowId(id, 0))], first)]);
    }

    private static double[] First(CachedOutputs cached, params long[] positions)
    {
        using var scope = NewDisposeScope();
        return Near.Values(cached.Read(tensor(positions), ModelOutputs.Logits).Logits.select(1, 0));
    }

}

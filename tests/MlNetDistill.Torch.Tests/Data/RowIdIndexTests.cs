using MlNetDistill.Core;

namespace MlNetDistill.Tests;

/// <summary>Positions of row ids, by a dictionary as the reference.</summary>
public sealed class RowIdIndexTests
{
    private const int Count = 20_000;

    [TestCase(true)]
    [TestCase(false)]
    public void Every_id_is_found_at_its_position_in_any_order_and_others_are_not(bool rising)
    {
        RowId[] ids = [.. Enumerable.Range(0, Count).Select(i => new RowId((ulong)i * 3, (ulong)(i / 7000)))];
        if (!rising)
            new Random(1).Shuffle(ids);
        var index = new RowIdIndex(RowIds.From(ids), "A test");
        RowId[] asked = [.. ids.Index().OrderBy(id => id.Index * 7919L % Count).Select(id => id.Item), .. ids];
        var positions = ids.Index().ToDictionary(id => id.Item, id => (long)id.Index);
        Assert.That(asked.Select(index.Find), Is.EqualTo(asked.Select(id => positions[id])));
        Assert.That(ids.Select(id => index.Contains(new(id.Low + 1, id.High))), Has.All.False);
        Assert.That(index.Find(new(ulong.MaxValue, ulong.MaxValue)), Is.EqualTo(-1));
    }

    [Test]
    public void Repeated_ids_are_reported_with_the_position_of_the_first()
    {
        List<(int, int)> repeated = [];
        var index = new RowIdIndex(RowIds.From([new(5, 0), new(2, 0), new(5, 0), new(9, 0), new(2, 0), new(5, 0)]), "A test", (first, again) => repeated.Add((first, again)));
        Assert.That(repeated, Is.EqualTo(new[] { (0, 2), (1, 4), (0, 5) }));
        Assert.That(index.Find(new(9, 0)), Is.EqualTo(3));
    }

    [Test]
    public void Of_no_ids_none_is_found() => Assert.That(new RowIdIndex(RowIds.From([]), "A test").Contains(default), Is.False);

    [Test]
    public void Ids_that_rise_need_no_table_and_others_six_bytes_each()
    {
        const int many = 1_000_000;
        var rising = RowIds.From(Enumerable.Range(0, many).Select(i => new RowId((ulong)i, 0)));
        var falling = RowIds.From(Enumerable.Range(0, many).Select(i => new RowId((ulong)(many - i), 0)));
        Assert.That(Allocated(rising), Is.LessThan(10_000));
        Assert.That(Allocated(falling), Is.LessThan((6 * many) + 10_000));

        static long Allocated(RowIds ids)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var index = new RowIdIndex(ids, "A test");
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.That(index.Find(ids[many / 2]), Is.EqualTo(many / 2));
            return allocated;
        }
    }
}

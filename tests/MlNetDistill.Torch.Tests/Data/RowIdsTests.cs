using MlNetDistill.Core;

namespace MlNetDistill.Tests;

public sealed class RowIdsTests
{
    [Test]
    public void Ids_are_kept_in_order_whether_they_count_up_or_not()
    {
        // More than one block of each kind, and a block that begins counting up and goes on otherwise.
        RowId[] given = [.. Enumerable.Range(0, 20_000).Select(i => new RowId((ulong)(i < 9000 ? i : i * 7919L % 20_011), i < 12_000 ? 0UL : 1UL))];
        var ids = RowIds.From(given);
        Assert.That(ids.Count, Is.EqualTo(20_000));
        Assert.That(ids, Is.EqualTo(given));
        Assert.That(Enumerable.Range(0, given.Length).Select(i => ids[i]), Is.EqualTo(given));
    }

    [Test]
    public void Ids_that_count_up_take_hardly_any_memory()
    {
        var counting = Numbered(100_000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var ids = RowIds.From(counting);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(100_000));
        Assert.That(ids[99_999], Is.EqualTo(new RowId(99_999, 0)));
    }

    [TestCase(-1)]
    [TestCase(3)]
    public void A_position_that_there_is_not_is_refused(long position) => Assert.That(
        () => RowIds.From(Numbered(3))[position],
        Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith($"The position of a row must be from 0 to 2; was {position}."));

    [Test]
    public void There_may_be_none() => Assert.That(RowIds.From([]), Is.Empty);

    private static RowId[] Numbered(int count) => [.. Enumerable.Range(0, count).Select(i => new RowId((ulong)i, 0))];
}

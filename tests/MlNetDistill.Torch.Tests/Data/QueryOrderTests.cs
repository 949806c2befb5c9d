using MlNetDistill.Data;

namespace MlNetDistill.Tests.Data;

public sealed class QueryOrderTests
{
    [TestCase(1)]
    [TestCase(7)]
    [TestCase(64)]
    [TestCase(511)]
    [TestCase(512)]
    [TestCase(513)]
    [TestCase(4000)]
    public void Every_position_comes_once(int rows) => Assert.That(QueryOrder.Create(rows), Is.Unique.And.EquivalentTo(Enumerable.Range(0, rows).Select(i => (long)i)));

    [Test]
    public void More_rows_than_a_table_holds_are_refused() => Assert.That(() => QueryOrder.Create(1L << 40), Throws.InvalidOperationException.With.Message.StartsWith(
        "A teacher that is queried in an order of its own takes at most 2147483591 rows; there are 1099511627776."));

    [Test]
    public void The_first_rows_of_a_sorted_set_are_of_every_class()
    {
        var order = QueryOrder.Create(4000);
        Assert.Multiple(() =>
        {
            Assert.That(order.Take(64).Select(position => position / 400).Distinct().Count(), Is.EqualTo(10));
            Assert.That(order.Take(512).GroupBy(position => position / 400).Select(of => of.Count()), Is.All.InRange(51, 52));
        });
    }
}

using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class RowGroupsTests
{
    [Test]
    public void Groups_are_in_the_order_of_their_keys_and_rows_in_that_of_their_positions()
    {
        var found = RowGroups.FromKeys([5, 2, 9, 2, 5, 2], [10, 11, 12, 13, 14, 15]);
        Assert.That(found.Count, Is.EqualTo(3));
        Assert.That(Draw(found, 20, 2, 1), Is.EqualTo(Draw(new RowGroups([[11, 13, 15], [10, 14], [12]]), 20, 2, 1)));
    }

    [TestCase(6, 2)]
    [TestCase(6, 3)]
    [TestCase(6, 6)]
    public void Every_row_is_used_once_before_a_group_is_shuffled_again(int rows, int instances)
    {
        long[] group = [.. Enumerable.Range(20, rows)];
        var batches = Draw(new RowGroups([group]), 10 * rows / instances, 1, instances);
        foreach (var round in batches.Chunk(rows / instances))
            Assert.That(round.SelectMany(batch => batch), Is.EquivalentTo(group));
        Assert.That(batches.Chunk(rows / instances).Select(round => string.Join(' ', round.SelectMany(batch => batch))).Distinct().Count(), Is.GreaterThan(1));
    }

    [Test]
    public void Rows_that_are_too_few_for_another_batch_are_left_for_the_next_shuffle()
    {
        var batches = Draw(new RowGroups([[0, 1, 2, 3, 4]]), 40, 1, 2);
        Assert.That(batches, Has.All.Unique);
        foreach (var pair in batches.Chunk(2))
            Assert.That(pair.SelectMany(batch => batch), Is.Unique);
    }

    private static long[][] Draw(RowGroups groups, int batches, int drawn, int instances)
    {
        using var generator = new Generator(3);
        return [.. groups.Batches(batches, drawn, instances, CPU, generator).Select(batch => batch.data<long>().ToArray())];
    }
}

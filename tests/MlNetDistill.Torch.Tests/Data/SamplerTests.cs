using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class SamplerTests
{
    private static readonly long[] Rows = [3, 5, 7, 11, 13, 17, 19, 23, 29, 31];

    [Test]
    public void An_epoch_has_every_row_at_most_once_in_full_batches()
    {
        var batches = Epochs(new ShuffledSampler(4), 1).Single();
        Assert.That(batches.Select(b => b.Length), Is.EqualTo(new[] { 4, 4 }), "the incomplete third batch is left out");
        Assert.That(batches.SelectMany(b => b), Is.Unique.And.SubsetOf(Rows));
    }

    [Test]
    public void A_batch_size_that_divides_the_rows_leaves_out_none() =>
        Assert.That(Epochs(new ShuffledSampler(5), 1).Single().SelectMany(b => b), Is.EquivalentTo(Rows));

    [Test]
    public void Fewer_rows_than_a_batch_are_one_batch()
    {
        var sampler = new ShuffledSampler(64);
        Assert.That(sampler.BatchesPerEpoch(Rows.Length), Is.EqualTo(1));
        Assert.That(Epochs(sampler, 1).Single().Single(), Is.EquivalentTo(Rows));
    }

    [Test]
    public void Every_epoch_has_its_own_order_so_no_row_stays_out()
    {
        var epochs = Epochs(new ShuffledSampler(4), 20);
        Assert.That(epochs.Select(e => string.Join(' ', e.SelectMany(b => b))), Is.Unique);
        Assert.That(epochs.SelectMany(e => e.SelectMany(b => b)).Distinct(), Is.EquivalentTo(Rows));
    }

    [Test]
    public void The_same_generator_gives_the_same_batches() =>
        Assert.That(Epochs(new ShuffledSampler(4), 3), Is.EqualTo(Epochs(new ShuffledSampler(4), 3)));

    [TestCase(100, 32, 3)]
    [TestCase(96, 32, 3)]
    [TestCase(31, 32, 1)]
    public void Batches_of_an_epoch_are_counted_without_the_rest(long rows, int size, int batches) =>
        Assert.That(new ShuffledSampler(size).BatchesPerEpoch(rows), Is.EqualTo(batches));

    private static long[][][] Epochs(ShuffledSampler sampler, int count)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(11);
        var rows = tensor(Rows);
        return [.. Enumerable.Range(0, count).Select(_ => sampler.Epoch(rows, generator).Select(b => b.data<long>().ToArray()).ToArray())];
    }
}

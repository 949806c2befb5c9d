using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Batches of rows that are read in blocks.</summary>
public sealed class BlockOrderTests
{
    private static readonly RowBlocks Blocks = new(Rows: 10, Together: 3);
    private static readonly BlockRows Source = new(Toy.Clouds()) { Blocks = Blocks };

    [OneTimeTearDown]
    public void DisposeSource() => Source.Dispose();

    [Test]
    public void Every_row_is_used_once_an_epoch_in_another_order_each_time([Values(1, 10, 29, 100, 237)] int rows)
    {
        using var scope = NewDisposeScope();
        var (first, second) = (Order(rows, 1), Order(rows, 2));
        Assert.That(first, Is.EquivalentTo(Training(rows).data<long>().ToArray()));
        Assert.That(second, Is.EquivalentTo(first));
        Assert.That(Order(rows, 1), Is.EqualTo(first));
        if (rows > 10)
            Assert.That(second, Is.Not.EqualTo(first));
    }

    [Test]
    public void No_more_blocks_than_can_be_in_memory_are_read_at_a_time()
    {
        using var scope = NewDisposeScope();
        var blocks = Order(1000, 3).Select(row => row / Blocks.Rows).ToArray();
        // A window of three blocks ends where the first block beyond it begins; none of its blocks comes again.
        var seen = new HashSet<long>();
        for (var at = 0; at < blocks.Length;)
        {
            var window = blocks.Skip(at).TakeWhile((_, i) => blocks.Skip(at).Take(i + 1).Distinct().Count() <= Blocks.Together).ToArray();
            Assert.That(window.Distinct().Where(seen.Contains), Is.Empty);
            seen.UnionWith(window);
            at += window.Length;
        }
    }

    [Test]
    public void Rows_of_a_window_are_mixed()
    {
        using var scope = NewDisposeScope();
        var blocks = Order(1000, 4).Take(27).Select(row => row / Blocks.Rows).ToArray();
        // Were the blocks one after the other, 2 of the 26 neighbours would be of different blocks; in a random order it is about two thirds of them.
        Assert.That(blocks.Zip(blocks.Skip(1)).Count(pair => pair.First != pair.Second), Is.GreaterThan(10));
    }

    [Test]
    public void Batches_of_losses_over_pairs_have_equal_sizes()
    {
        using var scope = NewDisposeScope();
        var sampler = new ShuffledSampler(32).ForRows(Source).ForLoss(comparesRows: true);
        using var generator = new Generator(5);
        var sizes = sampler.Epoch(Training(237), generator).Select(batch => batch.shape[0]).ToArray();
        Assert.That(sizes, Has.Length.EqualTo(Training(237).shape[0] / 32).And.All.EqualTo(32));
    }

    /// <summary>Positions with gaps: every ninth row is held out, and a whole block.</summary>
    private static Tensor Training(int rows) => tensor(Enumerable.Range(0, rows).Where(row => row % 9 != 8 && row is < 50 or >= 60).Select(row => (long)row).ToArray());

    private static long[] Order(int rows, ulong seed)
    {
        using var generator = new Generator(seed);
        return [.. new ShuffledSampler(16).ForRows(Source).Epoch(Training(rows), generator).SelectMany(batch => batch.data<long>().ToArray())];
    }
}

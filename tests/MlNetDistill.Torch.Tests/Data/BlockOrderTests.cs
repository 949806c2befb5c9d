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

    [Test]
    public void Batches_of_losses_over_pairs_are_of_blocks_too()
    {
        using var scope = NewDisposeScope();
        var (first, second) = (Order(new ShuffledSampler(16).ForRows(Source).ForLoss(comparesRows: true), 5), Order(new ShuffledSampler(16).ForLoss(comparesRows: true).ForRows(Source), 5));
        Assert.That(first, Is.EqualTo(second));
        Assert.That(first.Take(16).Select(row => row / Blocks.Rows).Distinct().Count(), Is.AtMost(Blocks.Together));
    }

    [Test]
    public void Each_window_says_where_it_starts_and_of_which_blocks_it_is()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(6);
        var order = BlockOrder.Shuffle(Training(237), Blocks, generator);
        var rows = order.Positions.data<long>().ToArray();
        // 24 blocks, one of which is held out.
        Assert.That(order.Windows, Has.Count.EqualTo(8));
        Assert.That(order.Windows.SelectMany(window => window.Blocks), Is.Unique);
        Assert.That(order.Windows.Select(window => window.Start), Is.Ordered);
        var blocks = order.Windows.Zip(order.Windows.Skip(1).Select(next => next.Start).Append(rows.Length))
            .Select(pair => rows[(int)pair.First.Start..(int)pair.Second].Select(row => row / Blocks.Rows).Distinct().Order());
        Assert.That(blocks, Is.EqualTo(order.Windows.Select(window => window.Blocks.Order())));
    }

    [Test]
    public void No_rows_are_in_no_window()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var order = BlockOrder.Shuffle(tensor(Array.Empty<long>()), Blocks, generator);
        Assert.That(order.Positions.shape, Is.EqualTo(new long[] { 0 }));
        Assert.That(order.Windows, Is.Empty);
    }

    [Test]
    public void Positions_beyond_32_bits_are_in_few_blocks()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var order = BlockOrder.Shuffle(tensor(new long[] { 5, 3_000_000_000, 3_000_000_001 }), new RowBlocks(1_000_000_000, Together: 1), generator);
        Assert.That(order.Windows.Select(window => window.Blocks.Single()), Is.EquivalentTo(new long[] { 0, 3 }));
        Assert.That(order.Positions.data<long>().ToArray(), Is.EquivalentTo(new long[] { 5, 3_000_000_000, 3_000_000_001 }));
    }

    [Test]
    public void While_a_window_is_trained_on_the_next_is_read()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(2);
        var (batches, announced) = (new List<long[]>(), new List<(int Batch, long[] Blocks)>());
        using var source = new BlockRows(Toy.Clouds(rows: 60)) { Blocks = new RowBlocks(Rows: 10, Together: 2), Announced = blocks => announced.Add((batches.Count, [.. blocks.Order()])) };
        foreach (var batch in new ShuffledSampler(10).ForRows(source).Epoch(arange(60, int64), generator))
            batches.Add(batch.data<long>().ToArray());

        // Two batches are of one window, and the last window is the end.
        Assert.That(announced.Select(call => call.Batch), Is.EqualTo(new[] { 0, 2, 4 }));
        Assert.That(announced.Select(call => call.Blocks), Is.EqualTo(new long[][] { OfBatches(2), OfBatches(4), [] }));

        long[] OfBatches(int first) => [.. batches.Skip(first).Take(2).SelectMany(batch => batch).Select(row => row / 10).Distinct().Order()];
    }

    [Test]
    public void Rows_that_are_not_in_blocks_leave_the_sampler_as_it_is()
    {
        using var rows = Toy.Clouds();
        var sampler = new ShuffledSampler(16);
        Assert.That(sampler.ForRows(rows), Is.SameAs(sampler));
    }

    /// <summary>Positions with gaps: every ninth row is held out, and a whole block.</summary>
    private static Tensor Training(int rows) => tensor(Enumerable.Range(0, rows).Where(row => row % 9 != 8 && row is < 50 or >= 60).Select(row => (long)row).ToArray());

    private static long[] Order(Sampler sampler, ulong seed)
    {
        using var generator = new Generator(seed);
        return [.. sampler.Epoch(Training(237), generator).SelectMany(batch => batch.data<long>().ToArray())];
    }

    private static long[] Order(int rows, ulong seed)
    {
        using var generator = new Generator(seed);
        return [.. new ShuffledSampler(16).ForRows(Source).Epoch(Training(rows), generator).SelectMany(batch => batch.data<long>().ToArray())];
    }
}

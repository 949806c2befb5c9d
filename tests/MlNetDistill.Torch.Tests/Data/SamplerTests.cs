using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class SamplerTests
{
    private static readonly long[] Rows = [3, 5, 7, 11, 13, 17, 19, 23, 29, 31];

    [TestCase(false, false, 3)]
    [TestCase(true, false, 2)]
    [TestCase(false, true, 2)]
    [TestCase(true, true, 2)]
    public void A_stage_has_exact_batches_if_they_are_asked_for_or_its_loss_compares_rows(bool isExact, bool compares, int batches)
    {
        DistillationLoss loss = compares ? new DistLoss(1) : new KdLoss(1);
        var stage = new Stage("any", null, loss, new ShuffledSampler(4, isExact), 1, Optimizer.AdamW(), LearningRateSchedule.Constant());
        Assert.That(stage.Sampler.BatchesPerEpoch(10), Is.EqualTo(batches));
    }

    [Test]
    public void An_epoch_has_every_row_once_in_batches_of_nearly_equal_size()
    {
        var batches = Epochs(new ShuffledSampler(4), 1).Single();
        Assert.That(batches.Select(b => b.Length), Is.EqualTo(new[] { 3, 3, 4 }));
        Assert.That(batches.SelectMany(b => b), Is.EquivalentTo(Rows));
    }

    [Test]
    public void Exact_batches_leave_out_the_rows_that_are_left_over()
    {
        var batches = Epochs(new ShuffledSampler(4, isExact: true), 1).Single();
        Assert.That(batches.Select(b => b.Length), Is.EqualTo(new[] { 4, 4 }));
        Assert.That(batches.SelectMany(b => b), Is.Unique.And.SubsetOf(Rows));
    }

    [Test]
    public void Stages_have_exact_batches_only_where_the_loss_compares_rows()
    {
        Assert.That(SizesFor(new KdLoss(2)), Is.EqualTo(new[] { 3, 3, 4 }), "every row counts by itself");
        Assert.That(SizesFor(new DistLoss(2, 1, 1)), Is.EqualTo(new[] { 4, 4 }), "columns of the batch are correlated");
        Assert.That(SizesFor(new KdLoss(2) + new DistLoss(2, 1, 1)), Is.EqualTo(new[] { 4, 4 }));

        static int[] SizesFor(DistillationLoss loss)
        {
            var stage = new Stage("stage", null, loss, new ShuffledSampler(4), 1, Optimizer.AdamW(), LearningRateSchedule.Constant());
            return [.. Epochs(stage.Sampler, 1).Single().Select(b => b.Length)];
        }
    }

    [Test]
    public void A_batch_size_that_divides_the_rows_leaves_out_none() =>
        Assert.That(Epochs(new ShuffledSampler(5), 1).Single().SelectMany(b => b), Is.EquivalentTo(Rows));

    [Test]
    public void Fewer_rows_than_a_batch_are_one_batch()
    {
        foreach (var sampler in new[] { new ShuffledSampler(64), new ShuffledSampler(64, isExact: true) })
        {
            Assert.That(sampler.BatchesPerEpoch(Rows.Length), Is.EqualTo(1));
            Assert.That(Epochs(sampler, 1).Single().Single(), Is.EquivalentTo(Rows));
        }
    }

    [Test]
    public void Every_epoch_has_its_own_order_so_no_row_stays_out()
    {
        var epochs = Epochs(new ShuffledSampler(4, isExact: true), 20);
        Assert.That(epochs.Select(e => string.Join(' ', e.SelectMany(b => b))), Is.Unique);
        Assert.That(epochs.SelectMany(e => e.SelectMany(b => b)).Distinct(), Is.EquivalentTo(Rows));
    }

    [Test]
    public void The_same_generator_gives_the_same_batches() =>
        Assert.That(Epochs(new ShuffledSampler(4), 3), Is.EqualTo(Epochs(new ShuffledSampler(4), 3)));

    [TestCase(100, 32, false, 4)]
    [TestCase(100, 32, true, 3)]
    [TestCase(96, 32, false, 3)]
    [TestCase(96, 32, true, 3)]
    [TestCase(31, 32, false, 1)]
    [TestCase(31, 32, true, 1)]
    public void Batches_of_an_epoch_are_counted(long rows, int size, bool exact, int batches) =>
        Assert.That(new ShuffledSampler(size, exact).BatchesPerEpoch(rows), Is.EqualTo(batches));

    private static long[][][] Epochs(Sampler sampler, int count)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(11);
        var rows = tensor(Rows);
        return [.. Enumerable.Range(0, count).Select(_ => sampler.Epoch(rows, generator).Select(b => b.data<long>().ToArray()).ToArray())];
    }
}

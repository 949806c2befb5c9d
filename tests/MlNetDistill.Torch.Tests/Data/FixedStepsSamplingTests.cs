using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Epochs of a given number of steps, whatever the number of rows.</summary>
public sealed class FixedStepsSamplingTests
{
    [Test]
    public void Batches_go_on_in_the_next_epoch_and_every_row_comes_once_before_any_comes_again()
    {
        using var rows = arange(40);
        using var generator = new Generator(1);
        var sampler = new FixedStepsSampling(BatchSampling.Shuffled(), 2).Create(10);
        Assert.That(sampler.BatchesPerEpoch(40), Is.EqualTo(2));
        Assert.That(Drawn(sampler, rows, generator).Concat(Drawn(sampler, rows, generator)), Is.EquivalentTo(Enumerable.Range(0, 40)));
    }

    [Test]
    public void A_stage_does_not_go_on_with_the_batches_of_the_stage_before()
    {
        using var set = Toy.Clouds(rows: 40);
        using var rows = arange(40);
        using var generator = new Generator(1);
        var sampler = new FixedStepsSampling(BatchSampling.Shuffled(), 2).Create(10);
        sampler.Prepare(new SamplerSource(set, rows, generator));
        _ = Drawn(sampler, rows, generator);
        sampler.Prepare(new SamplerSource(set, rows, generator));
        var (second, third) = (Drawn(sampler, rows, generator), Drawn(sampler, rows, generator));
        Assert.That(second.Concat(third), Is.EquivalentTo(Enumerable.Range(0, 40)));
    }

    [Test]
    public void The_sampler_of_the_batches_is_prepared()
    {
        using var set = Toy.Clouds(rows: 40);
        using var rows = arange(40);
        using var generator = new Generator(1);
        var sampler = new FixedStepsSampling(BatchSampling.ClassUniform(4), 7).Create(12);
        sampler.Prepare(new SamplerSource(set, rows, generator));
        Assert.That(Drawn(sampler, rows, generator), Has.Count.EqualTo(7 * 12));
    }

    [Test]
    public void An_epoch_that_is_given_up_is_ended()
    {
        using var set = Toy.Clouds(rows: 40);
        using var rows = arange(40);
        using var generator = new Generator(1);
        var ended = 0;
        var sampler = new FixedStepsSampling(new Given(new Fixed(Batches)), 2).Create(10);
        _ = Drawn(sampler, rows, generator);
        Assert.That(ended, Is.Zero);
        sampler.Prepare(new SamplerSource(set, rows, generator));
        Assert.That(ended, Is.EqualTo(1));

        IEnumerable<Tensor> Batches(Tensor training)
        {
            try
            {
                for (var i = 0; i < 3; i++)
                    yield return training;
            }
            finally
            {
                ended++;
            }
        }
    }

    [Test]
    public void A_sampler_without_batches_has_an_epoch_without_steps()
    {
        using var rows = arange(40);
        using var generator = new Generator(1);
        Assert.That(Drawn(new FixedStepsSampling(new Given(new Fixed(_ => [])), 2).Create(10), rows, generator), Is.Empty);
    }

    [Test]
    public void Batches_of_losses_over_pairs_have_equal_sizes_and_go_on_in_the_next_epoch()
    {
        using var rows = arange(11);
        using var generator = new Generator(1);
        var sampler = new FixedStepsSampling(BatchSampling.Shuffled(), 2).Create(4).ForLoss(comparesRows: true);
        Assert.That(Drawn(sampler, rows, generator), Has.Count.EqualTo(8));
        // A stage asks again for each epoch; with another sampler each time no epoch would go on where the last one ended.
        Assert.That(sampler.ForLoss(comparesRows: true), Is.SameAs(sampler));
        Assert.That(sampler.ForLoss(comparesRows: false), Is.SameAs(sampler));
    }

    private static List<long> Drawn(Sampler sampler, Tensor rows, Generator generator) => [.. sampler.Epoch(rows, generator).SelectMany(batch => batch.data<long>().ToArray())];

    private sealed record Given(Sampler Sampler) : BatchSampling
    {
        public override Sampler Create(int batchSize) => Sampler;
    }

    private sealed class Fixed(Func<Tensor, IEnumerable<Tensor>> epoch) : Sampler
    {
        public override int BatchesPerEpoch(long rows) => 3;

        public override IEnumerable<Tensor> Epoch(Tensor training, Generator generator) => epoch(training);
    }
}

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

    private static List<long> Drawn(MlNetDistill.Data.Sampler sampler, Tensor rows, Generator generator) => [.. sampler.Epoch(rows, generator).SelectMany(batch => batch.data<long>().ToArray())];
}

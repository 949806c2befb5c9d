using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>What each kind of batches needs, and how many rows it has.</summary>
public sealed class BatchSamplingTests
{
    private static readonly BatchSampling Shuffled = BatchSampling.Shuffled();
    private static readonly BatchSampling ByClass = BatchSampling.ClassUniform(4);
    private static readonly BatchSampling ByCluster = BatchSampling.SuperclassUniform(3, 4);

    public static IEnumerable<TestCaseData> Kinds()
    {
        foreach (var (kind, labels, teacher) in new[] { (Shuffled, false, false), (ByClass, true, false), (ByCluster, false, true) })
        {
            yield return new(kind, labels, teacher);
            yield return new(new FixedStepsSampling(kind, 2), labels, teacher);
        }
    }

    [TestCaseSource(nameof(Kinds))]
    public void Classes_need_labels_and_clusters_a_teacher(BatchSampling sampling, bool labels, bool teacher) =>
        Assert.That((sampling.NeedsLabels, sampling.NeedsTeacher), Is.EqualTo((labels, teacher)));

    [Test]
    public void Only_shuffled_batches_are_smaller_where_there_are_fewer_rows() => Assert.Multiple(() =>
    {
        Assert.That(Shuffled.RowsPerBatch(32, 10), Is.EqualTo(10));
        Assert.That(Shuffled.RowsPerBatch(32, 100), Is.EqualTo(32));
        Assert.That(ByClass.RowsPerBatch(32, 10), Is.EqualTo(32));
        Assert.That(new FixedStepsSampling(Shuffled, 2).RowsPerBatch(32, 10), Is.EqualTo(10));
    });

    public static IEnumerable<BatchSampling> Samplings() => [Shuffled, ByClass, ByCluster, new FixedStepsSampling(Shuffled, 2), new FixedStepsSampling(ByClass, 2)];

    [TestCaseSource(nameof(Samplings))]
    public void A_sampler_keeps_a_state_if_its_batches_depend_on_the_epochs_before(BatchSampling sampling)
    {
        using var set = Toy.Clouds(rows: 40);
        var sampler = sampling.Create(8);
        Assert.That(sampler.KeepsState, Is.EqualTo(!Drawn(set, sampler, after: 1).SequenceEqual(Drawn(set, sampling.Create(8), after: 0))));
    }

    [Test]
    public void A_sampler_of_which_nothing_is_known_keeps_a_state() => Assert.That(new Unknown().KeepsState, Is.True);

    [Test]
    public void What_a_sampler_may_use_is_described_by_its_rows()
    {
        using var set = Toy.Clouds(rows: 40);
        using var generator = new Generator(1);
        using var training = arange(30, int64);
        Assert.That($"{new SamplerSource(set, training, generator)}", Is.EqualTo("30 of 40 rows"));
    }

    /// <summary>The rows of an epoch, drawn with a generator of its own after some epochs.</summary>
    private static List<long> Drawn(InMemoryRows set, Sampler sampler, int after)
    {
        using var scope = NewDisposeScope();
        var training = arange(set.Count, int64);
        using var prepared = new Generator(1);
        sampler.Prepare(new SamplerSource(set, training, prepared, rows => set.Gather(rows, CPU)));
        for (var epoch = 0; epoch < after; epoch++)
        {
            foreach (var batch in sampler.Epoch(training, prepared))
                Assert.That(batch.shape[0], Is.EqualTo(8));
        }

        using var generator = new Generator(2);
        return [.. sampler.Epoch(training, generator).SelectMany(batch => batch.data<long>().ToArray())];
    }

    private sealed class Unknown : Sampler
    {
        public override int BatchesPerEpoch(long rows) => 1;

        public override IEnumerable<Tensor> Epoch(Tensor training, Generator generator) => [training];
    }
}

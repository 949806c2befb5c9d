using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class SuperclassUniformSamplerTests
{
    // Four directions the teacher sees, of very different sizes; every third row has no label.
    private static readonly int[] Directions = [.. new[] { 400, 60, 30, 10 }.SelectMany((count, c) => Enumerable.Repeat(c, count))];

    [Test]
    public void Unbalanced_clusters_come_as_often_in_batches_of_equal_parts()
    {
        var batches = Epochs(new SuperclassUniformSampler(16, 4, 8), 10).SelectMany(e => e).ToArray();
        foreach (var batch in batches)
            Assert.That(batch.GroupBy(row => Directions[row]).Select(g => g.Count()), Is.EqualTo(new[] { 8, 8 }));
        var counts = batches.SelectMany(b => b).GroupBy(row => Directions[row]).Select(g => g.Count()).ToArray();
        // 310 batches of two clusters out of four: 155 times eight rows.
        Assert.That(counts, Has.Length.EqualTo(4).And.All.EqualTo(1240).Within(300));
    }

    [Test]
    public void Rows_without_a_label_come_too() =>
        Assert.That(Epochs(new SuperclassUniformSampler(16, 4, 8), 5).SelectMany(e => e).SelectMany(b => b), Has.Some.Matches<long>(r => r % 3 == 0));

    [Test]
    public void The_same_generator_gives_the_same_batches() =>
        Assert.That(Epochs(new SuperclassUniformSampler(16, 4, 8), 3), Is.EqualTo(Epochs(new SuperclassUniformSampler(16, 4, 8), 3)));

    [Test]
    public void A_stage_without_a_teacher_is_refused_unless_the_stage_before_had_one()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        using var set = Set();
        var training = arange(set.Count, int64);
        var sampler = new SuperclassUniformSampler(16, 4, 8);
        var without = new SamplerSource(set, training, generator);
        Assert.That(() => sampler.Prepare(without), Throws.InvalidOperationException.With.Message.EqualTo(
            "Superclass-uniform batches need clusters of the teacher's outputs, but this stage has no teacher. Use another BatchSampling."));
        sampler.Prepare(without with { TeacherVectors = Vectors });
        Assert.That(() => sampler.Prepare(without), Throws.Nothing);
    }

    [Test]
    public void More_clusters_than_rows_are_refused() => Assert.That(
        () => Epochs(new SuperclassUniformSampler(16, 501, 8), 1),
        Throws.InvalidOperationException.With.Message.EqualTo("SuperclassUniform has 501 clusters, but there are only 500 training rows. Use fewer clusters."));

    [Test]
    public void A_teacher_that_says_too_little_is_refused() => Assert.That(
        () => Epochs(new SuperclassUniformSampler(16, 4, 4), 1, rows => ones(rows.shape[0], 3)),
        Throws.InvalidOperationException.With.Message.EqualTo(
            "The teacher's outputs form only 1 distinct cluster, but a superclass-uniform batch of 16 rows, 4 of each cluster, needs 4. " +
            "Set BatchSize to at most 4."));

    [Test]
    public void Clusters_are_counted_before_a_teacher_is_trained_for_them()
    {
        using var scope = NewDisposeScope();
        using var set = Set();
        Assert.That(() => BatchSampling.SuperclassUniform(2, 8).Check(set, arange(1, int64), 16), Throws.InvalidOperationException.With.Message.EqualTo(
            "SuperclassUniform has 2 clusters, but there are only 1 training row. Use fewer clusters."));
        Assert.That(() => BatchSampling.SuperclassUniform(2, 8).Check(set, arange(2, int64), 16), Throws.Nothing);
    }

    [Test]
    public void Some_clusters_but_too_few_are_refused() => Assert.That(
        () => Epochs(new SuperclassUniformSampler(16, 4, 4), 1, rows => nn.functional.one_hot(rows.remainder(tensor(2L)), 2)),
        Throws.InvalidOperationException.With.Message.EqualTo(
            "The teacher's outputs form only 2 distinct clusters, but a superclass-uniform batch of 16 rows, 4 of each cluster, needs 4. " +
            "Set BatchSize to at most 8."));

    [Test]
    public void A_batch_may_have_rows_of_every_cluster()
    {
        foreach (var batch in Epochs(new SuperclassUniformSampler(32, 4, 8), 2).SelectMany(e => e))
            Assert.That(batch.GroupBy(row => Directions[row]).Select(g => g.Count()), Is.EqualTo(new[] { 8, 8, 8, 8 }));
    }

    [Test]
    public void More_rows_than_a_table_holds_are_refused_before_the_teacher_is_asked()
    {
        using var scope = NewDisposeScope();
        using var set = Set();
        using var generator = new Generator(1);
        // One position in memory, repeated.
        var source = new SamplerSource(set, tensor(new[] { 0L }).expand(1L << 60), generator, _ => throw new NotSupportedException());
        Assert.That(() => new SuperclassUniformSampler(16, 4, 8).Prepare(source), Throws.InvalidOperationException.With.Message.StartsWith(
            "Superclass-uniform sampling takes at most 2147483591 rows; there are 1152921504606846976."));
    }

    [Test]
    public void A_sampler_that_is_not_prepared_has_no_epoch()
    {
        using var training = arange(4, int64);
        using var generator = new Generator(1);
        Assert.That(
            () => new SuperclassUniformSampler(16, 4, 8).Epoch(training, generator),
            Throws.InvalidOperationException.With.Message.Contains("superclass-uniform sampler must be prepared before its first epoch"));
    }

    [TestCase(1, 8, 8, "SuperclassUniform's clusters must be at least 2; was 1.")]
    [TestCase(7, 1, 8, "SuperclassUniform's clusters must be at least 8, because a batch of 8 rows has 1 of each cluster; was 7.")]
    [TestCase(10, 0, 128, "SuperclassUniform's instances must be at least 1; was 0.")]
    [TestCase(20, 7, 128, "SuperclassUniform's instances must divide the BatchSize; 128 is not a multiple of 7.")]
    [TestCase(10, 8, 128, "SuperclassUniform's clusters must be at least 16, because a batch of 128 rows has 8 of each cluster; was 10.")]
    public void Faulty_settings_are_named(int clusters, int instances, int batchSize, string fault) =>
        Assert.That(BatchSampling.SuperclassUniform(clusters, instances).Validate(batchSize), Is.EqualTo(new[] { fault }));

    [Test]
    public void Two_clusters_are_enough_for_a_batch_of_two() => Assert.That(BatchSampling.SuperclassUniform(2, 8).Validate(16), Is.Empty);

    [Test]
    public void Clusters_of_well_separated_vectors_are_found()
    {
        using var scope = NewDisposeScope();
        for (var seed = 1UL; seed <= 10; seed++)
        {
            using var generator = new Generator(seed);
            var found = KMeans.Assign(Vectors(arange(500, int64)), 4, generator).data<long>().ToArray();
            Assert.That(found.Zip(Directions).Distinct().Count(), Is.EqualTo(4), $"seed {seed}: each cluster is one direction");
        }
    }

    [Test]
    public void Every_row_ends_in_the_cluster_whose_mean_is_nearest()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var random = new Random(4);
        var rows = Enumerable.Range(0, 300).Select(_ => new[] { random.NextSingle(), random.NextSingle() }).ToArray();
        var found = KMeans.Assign(tensor(rows.SelectMany(r => r).ToArray()).reshape(300, 2), 5, generator).data<long>().ToArray();
        var means = rows.Zip(found).GroupBy(r => r.Second, r => r.First).ToDictionary(g => g.Key, g => (X: g.Average(r => r[0]), Y: g.Average(r => r[1])));
        Assert.That(means, Has.Count.EqualTo(5));
        Assert.That(found, Is.EqualTo(rows.Select(r => means.MinBy(m => Math.Pow(r[0] - m.Value.X, 2) + Math.Pow(r[1] - m.Value.Y, 2)).Key)));
    }

    [Test]
    public void Clusters_beyond_the_different_vectors_stay_empty()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var found = KMeans.Assign(tensor(new[,] { { 1f, 0f }, { 0f, 1f }, { 1f, 0f }, { 0f, 1f } }), 4, generator).data<long>().ToArray();
        Assert.That(found[2], Is.EqualTo(found[0]));
        Assert.That(found[3], Is.EqualTo(found[1]).And.Not.EqualTo(found[0]));
    }

    [Test]
    public void A_cluster_that_loses_all_its_vectors_starts_again()
    {
        using var scope = NewDisposeScope();
        // Found by a search: from one start of twelve, a cluster loses its last vector to others.
        var vectors = tensor(new float[,]
        {
            { 29, 27, 29 }, { 27, 26, 20 }, { 31, 28, 21 }, { 31, 29, 25 }, { 27, 27, 30 }, { 21, 30, 26 },
            { 26, 21, 23 }, { 22, 30, 25 }, { 26, 23, 22 }, { 22, 31, 26 }, { 26, 26, 32 }, { 27, 32, 21 },
        });
        for (var seed = 1UL; seed <= 60; seed++)
        {
            using var generator = new Generator(seed);
            Assert.That(KMeans.Assign(vectors, 6, generator).data<long>().ToArray().Distinct().Count(), Is.EqualTo(6), $"seed {seed}");
        }
    }

    [Test]
    public void Clustering_leaves_no_tensor_behind()
    {
        using var set = Set();
        using var generator = new Generator(1);
        using var training = arange(set.Count, int64).DetachFromDisposeScope();
        var sampler = new SuperclassUniformSampler(16, 4, 8);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = Tensor.TotalCount;
        sampler.Prepare(new SamplerSource(set, training, generator, Vectors));
        foreach (var positions in sampler.Epoch(training, generator))
            Assert.That(positions.IsInvalid, Is.False);
        Assert.That(Tensor.TotalCount, Is.EqualTo(before));
    }

    private static InMemoryRows Set()
    {
        long[] labels = [.. Directions.Select((d, i) => i % 3 == 0 ? IRowSource.MissingLabel : d)];
        return Toy.Set(zeros(labels.Length, 1), labels, InputShape.Vector(1), 4);
    }

    /// <summary>What the teacher answers, at unit length: one of four directions with some noise.</summary>
    private static Tensor Vectors(Tensor positions)
    {
        var random = new Random(2);
        var vectors = new float[Directions.Length, 3];
        for (var i = 0; i < Directions.Length; i++)
        {
            var length = 0.1 + (5 * random.NextDouble());
            for (var j = 0; j < 3; j++)
                vectors[i, j] = (float)(length * ((Directions[i] == 3 ? -0.577 : j == Directions[i] ? 1 : 0) + (0.2 * (random.NextDouble() - 0.5))));
        }

        return nn.functional.normalize(tensor(vectors)).index_select(0, positions);
    }

    private static long[][][] Epochs(Sampler sampler, int count, Func<Tensor, Tensor>? vectors = null)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        using var set = Set();
        var training = arange(set.Count, int64);
        sampler.Prepare(new SamplerSource(set, training, generator, vectors ?? Vectors));
        return [.. Enumerable.Range(0, count).Select(_ => sampler.Epoch(training, generator).Select(b => b.data<long>().ToArray()).ToArray())];
    }
}

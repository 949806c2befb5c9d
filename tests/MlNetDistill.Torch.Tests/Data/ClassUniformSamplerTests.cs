using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class ClassUniformSamplerTests
{
    // Class 0 has 50 rows, class 1 has 20, class 2 has 10, class 3 has 3; class 4 has none.
    private static readonly long[] Labels = [.. new[] { 50, 20, 10, 3 }.SelectMany((count, c) => Enumerable.Repeat((long)c, count))];

    [Test]
    public void Every_batch_has_as_many_rows_of_each_of_its_classes()
    {
        foreach (var batch in Epochs(12, 4, 10).SelectMany(e => e))
        {
            var counts = batch.GroupBy(row => Labels[row]).Select(g => g.Count());
            Assert.That(counts, Is.EqualTo(new[] { 4, 4, 4 }));
        }
    }

    [Test]
    public void All_classes_with_rows_come_as_often()
    {
        var classes = Epochs(12, 4, 60).SelectMany(e => e).SelectMany(b => b).GroupBy(row => Labels[row]).ToDictionary(g => g.Key, g => g.Count());
        Assert.That(classes.Keys, Is.EquivalentTo(new long[] { 0, 1, 2, 3 }));
        // 360 batches of three classes out of four: 270 times four rows, deviation 33.
        Assert.That(classes.Values, Has.All.EqualTo(1080).Within(150));
    }

    [Test]
    public void Rows_of_a_batch_differ_where_a_class_has_enough()
    {
        foreach (var batch in Epochs(12, 4, 10).SelectMany(e => e))
        {
            Assert.That(batch.Where(row => Labels[row] < 3), Is.Unique);
            Assert.That(batch.Where(row => Labels[row] == 3).Distinct().Count(), Is.AnyOf(0, 3), "three rows fill four places");
        }
    }

    [Test]
    public void All_rows_come_in_the_end()
    {
        var rows = Epochs(12, 4, 20).SelectMany(e => e).SelectMany(b => b).Distinct();
        Assert.That(rows, Is.EquivalentTo(Enumerable.Range(0, Labels.Length)));
    }

    [Test]
    public void An_epoch_has_as_many_batches_as_a_shuffled_one()
    {
        Assert.That(Epochs(12, 4, 1).Single(), Has.Length.EqualTo(83 / 12));
        Assert.That(new ClassUniformSampler(128, 8).BatchesPerEpoch(40), Is.EqualTo(1));
    }

    [Test]
    public void The_same_generator_gives_the_same_batches_and_epochs_differ()
    {
        Assert.That(Epochs(12, 4, 3), Is.EqualTo(Epochs(12, 4, 3)));
        Assert.That(Epochs(12, 4, 5).Select(e => string.Join(' ', e.SelectMany(b => b))), Is.Unique);
    }

    [Test]
    public void Only_rows_trained_on_come()
    {
        using var scope = NewDisposeScope();
        using var set = Set(Labels);
        var training = arange(0, 80, 2, int64);
        var rows = Draw(new ClassUniformSampler(12, 4), set, training, 10).SelectMany(e => e).SelectMany(b => b);
        Assert.That(rows, Has.All.Matches<long>(r => r % 2 == 0 && r < 80));
    }

    [Test]
    public void Rows_without_a_label_are_refused_with_a_way_out()
    {
        using var scope = NewDisposeScope();
        using var set = Set([0, 0, 1, IRowSource.MissingLabel]);
        Assert.That(() => Draw(new ClassUniformSampler(2, 1), set, arange(4, int64), 1), Throws.InvalidOperationException.With.Message.EqualTo(
            "Class-uniform batches need labels, but 1 of the 4 training rows have none. " +
            "Use BatchSampling.SuperclassUniform, which uses the teacher's outputs instead, or leave these rows out: of a classifier, MissingLabels.Drop does."));
    }

    [Test]
    public void Where_no_row_has_a_label_none_can_be_left_out()
    {
        using var scope = NewDisposeScope();
        using var set = Set([IRowSource.MissingLabel, IRowSource.MissingLabel]);
        Assert.That(() => Draw(new ClassUniformSampler(2, 1), set, arange(2, int64), 1), Throws.InvalidOperationException.With.Message.EqualTo(
            "Class-uniform batches need labels, but 2 of the 2 training rows have none. Use BatchSampling.SuperclassUniform, which uses the teacher's outputs instead."));
    }

    [Test]
    public void More_rows_than_a_table_holds_are_refused()
    {
        using var scope = NewDisposeScope();
        using var set = Set([0, 1]);
        using var generator = new Generator(1);
        // One position in memory, repeated.
        var training = tensor(new[] { 0L }).expand(1L << 60);
        Assert.That(() => new ClassUniformSampler(2, 1).Prepare(new SamplerSource(set, training, generator)), Throws.InvalidOperationException.With.Message.StartsWith(
            "Class-uniform sampling takes at most 2147483591 rows; there are 1152921504606846976."));
    }

    [Test]
    public void A_sampler_that_is_not_prepared_has_no_epoch()
    {
        using var training = arange(4, int64);
        using var generator = new Generator(1);
        Assert.That(
            () => new ClassUniformSampler(2, 1).Epoch(training, generator),
            Throws.InvalidOperationException.With.Message.Contains("class-uniform sampler must be prepared before its first epoch"));
    }

    [Test]
    public void Too_few_classes_are_refused_with_numbers_that_would_do()
    {
        using var scope = NewDisposeScope();
        using var set = Set(Labels);
        Assert.That(() => Draw(new ClassUniformSampler(128, 8), set, arange(83, int64), 1), Throws.InvalidOperationException.With.Message.EqualTo(
            "A class-uniform batch of 128 rows, 8 of each class, needs 16 classes, but only 4 have training rows. Set BatchSize to at most 32, or use 32 instances."));
    }

    [TestCase(0, 128, "ClassUniform's instances must be at least 1; was 0.")]
    [TestCase(6, 128, "ClassUniform's instances must divide the BatchSize; 128 is not a multiple of 6.")]
    [TestCase(2, 1, "ClassUniform's instances must divide the BatchSize; 1 is not a multiple of 2.")]
    [TestCase(8, 4, "ClassUniform's instances must divide the BatchSize; 4 is not a multiple of 8.")]
    public void Faulty_settings_are_named(int instances, int batchSize, string fault) =>
        Assert.That(BatchSampling.ClassUniform(instances).Validate(batchSize), Is.EqualTo(new[] { fault }));

    [Test]
    public void Good_settings_have_no_faults()
    {
        Assert.That(BatchSampling.ClassUniform().Validate(128), Is.Empty);
        Assert.That(BatchSampling.ClassUniform(1).Validate(7), Is.Empty);
        // The batch size has a fault of its own.
        Assert.That(BatchSampling.ClassUniform().Validate(-1), Is.Empty);
        Assert.That(BatchSampling.Shuffled().Validate(7), Is.Empty);
        Assert.That(BatchSampling.Shuffled().Create(7), Is.TypeOf<ShuffledSampler>());
    }

    private static InMemoryRows Set(long[] labels) => Toy.Set(zeros(labels.Length, 1), labels, InputShape.Vector(1), 5);

    private static long[][][] Epochs(int batchSize, int instances, int count)
    {
        using var scope = NewDisposeScope();
        using var set = Set(Labels);
        return Draw(new ClassUniformSampler(batchSize, instances), set, arange(Labels.Length, int64), count);
    }

    private static long[][][] Draw(Sampler sampler, InMemoryRows set, Tensor training, int epochs)
    {
        using var generator = new Generator(5);
        sampler.Prepare(new SamplerSource(set, training, generator));
        return [.. Enumerable.Range(0, epochs).Select(_ => sampler.Epoch(training, generator).Select(b => b.data<long>().ToArray()).ToArray())];
    }
}

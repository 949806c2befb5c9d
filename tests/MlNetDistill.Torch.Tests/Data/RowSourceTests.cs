using System.Runtime.InteropServices;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>What holds of every source of rows, seen with a tensor of all features, with two tensors, with rows that store no zeros, in a file, and in two sources.</summary>
public sealed class RowSourceTests
{
    private readonly InMemoryRows _whole = Toy.Set(arange(60).to(float32).reshape(20, 3), [.. Enumerable.Range(0, 20).Select(i => i % 3L)], InputShape.Vector(3), 3);

    [OneTimeTearDown]
    public void Dispose() => _whole.Dispose();

    [Test]
    public void Gathered_rows_are_in_the_order_of_the_positions_and_may_repeat([Values] Place place)
    {
        using var scope = NewDisposeScope();
        using var rows = Source(place);
        var found = rows.Gather(tensor(new long[] { 19, 0, 7, 7 }), CPU);
        Assert.That(Near.Values(found), Is.EqualTo(new double[] { 57, 58, 59, 0, 1, 2, 21, 22, 23, 21, 22, 23 }));
        Assert.That(found.shape, Is.EqualTo(new long[] { 4, 3 }));
    }

    [Test]
    public void Each_element_may_come_from_a_row_of_its_own([Values] Place place)
    {
        using var scope = NewDisposeScope();
        using var rows = Source(place);
        var found = rows.GatherElements(tensor(new long[,] { { 0, 19, 5 }, { 6, 6, 7 } }), CPU);
        Assert.That(Near.Values(found), Is.EqualTo(new double[] { 0, 58, 17, 18, 19, 23 }));
        Assert.That(found.shape, Is.EqualTo(new long[] { 2, 3 }));
    }

    [Test]
    public void Where_features_lie_makes_no_difference_to_their_hash([Values] Place place)
    {
        using var rows = Source(place);
        Assert.That(DataHash.Compute(rows), Is.EqualTo(DataHash.Compute(_whole)));
    }

    [Test]
    public void The_largest_feature_is_found_wherever_it_lies([Values] Place place)
    {
        using var scope = NewDisposeScope();
        using var rows = Source(place);
        Assert.That(rows.LargestFeature(), Is.EqualTo(59));
    }

    [Test]
    public void A_student_is_the_same_bit_for_bit_wherever_the_features_lie([Values(Place.TwoTensors, Place.Sparse)] Place place)
    {
        using var whole = Toy.Clouds(rows: 120);
        using var other = Source(place, whole);
        Assert.That(Trained(other), Is.EqualTo(Trained(whole)));
    }

    [Test]
    public void A_student_of_rows_in_a_file_is_that_of_rows_in_memory_that_are_shuffled_by_the_same_blocks([Values(Place.File, Place.Joined)] Place place)
    {
        using var whole = Toy.Clouds(rows: 120);
        using var file = Source(place, whole);
        using var same = new BlockRows(whole) { Blocks = file.Blocks };
        Assert.That(Trained(file), Is.EqualTo(Trained(same)));
        Assert.That(Trained(file), Is.Not.EqualTo(Trained(whole)));
    }

    [Test]
    public void Sparse_rows_longer_than_a_block_are_whole_and_keep_the_sign_of_zero()
    {
        using var scope = NewDisposeScope();
        var values = arange(-300_000, 300_000).to(float32).reshape(2, 300_000);
        values[1, 7] = -0f;
        var matrix = new SparseMatrix(300_000);
        matrix.Add(values[0].data<float>().ToArray());
        matrix.Add([], []);
        matrix.Add([.. Enumerable.Range(0, 300_000)], values[1].data<float>().ToArray());
        using var rows = new SparseRows(matrix, zeros(3, int64), RowIds.From(Enumerable.Range(0, 3).Select(row => new RowId(0, (ulong)row))));
        var found = rows.Gather(tensor(new long[] { 2, 1, 0 }), CPU);
        Assert.That(found[0].data<float>().ToArray(), Is.EqualTo(values[1].data<float>().ToArray()));
        Assert.That(found[1].count_nonzero().item<long>(), Is.Zero);
        Assert.That(found[2].data<float>().ToArray(), Is.EqualTo(values[0].data<float>().ToArray()));
        Assert.That(float.IsNegative(found[0][7].item<float>()));
        Assert.That(matrix[2, 299_999], Is.EqualTo(299_999));
        Assert.That(matrix[2, 0], Is.Zero);
        Assert.That(matrix[1, 5], Is.Zero);
    }

    [Test]
    public void Shards_hold_every_row_exactly_once([Values(1, 3, 7, 20)] int shards, [Values(Place.OneTensor, Place.Sparse, Place.File, Place.Joined)] Place place)
    {
        using var scope = NewDisposeScope();
        using var rows = Source(place);
        var parts = Enumerable.Range(0, shards).Select(rank => rows.Shard(rank, shards)).ToList();
        Assert.That(parts.SelectMany(part => part.RowIds), Is.EquivalentTo(_whole.RowIds));
        foreach (var part in parts)
        {
            Assert.That(Near.Values(part.AllFeatures()), Is.EqualTo(part.RowIds.SelectMany(id => new[] { 3.0 * id.Low, (3.0 * id.Low) + 1, (3.0 * id.Low) + 2 })));
            Assert.That(Near.Values(part.Labels), Is.EqualTo(part.RowIds.Select(id => (double)(id.Low % 3))));
            part.Dispose();
        }
    }

    [Test]
    public void A_shard_can_be_divided_again_and_hashed([Values(Place.OneTensor, Place.Sparse, Place.File, Place.Joined)] Place place)
    {
        using var scope = NewDisposeScope();
        using var rows = Source(place);
        using var half = rows.Shard(1, 2);
        using var quarter = half.Shard(1, 2);
        using var direct = _whole.Shard(3, 4);
        Assert.That(quarter.RowIds, Is.EqualTo(direct.RowIds));
        Assert.That(DataHash.Compute(quarter), Is.EqualTo(DataHash.Compute(direct)));
    }

    [Test]
    public void A_shard_has_the_weights_of_its_rows()
    {
        using var rows = Toy.Set(zeros(4, 1), [0, 1, 0, 1], InputShape.Vector(1), 2, [1, 2, 3, 4]);
        using var shard = rows.Shard(1, 2);
        Assert.That(Near.Values(shard.Weights!), Is.EqualTo(new double[] { 2, 4 }));
    }

    [TestCase(0, 0, "The number of shards must be from 1 to the number of rows, 20; was 0.")]
    [TestCase(0, 21, "The number of shards must be from 1 to the number of rows, 20; was 21.")]
    [TestCase(4, 4, "The rank of a shard must be from 0 to 3; was 4.")]
    [TestCase(-1, 4, "The rank of a shard must be from 0 to 3; was -1.")]
    public void A_shard_that_there_is_not_is_refused(int rank, int shards, string message) =>
        Assert.That(() => _whole.Shard(rank, shards), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith(message));

    /// <summary>Where the features of rows are.</summary>
    public enum Place
    {
        OneTensor,
        TwoTensors,
        Sparse,
        File,
        Joined,
    }

    private IRowSource Source(Place place) => Source(place, _whole);

    private static IRowSource Source(Place place, IRowSource rows)
    {
        switch (place)
        {
            case Place.OneTensor:
                return rows.Shard(0, 1);
            case Place.TwoTensors:
                return new BlockRows(rows);
            case Place.Joined:
                return Joined(rows);
            case Place.File:
                using (var writer = RowFileWriter.Create(null, "rows", (int)ScalarType.Float32, sizeof(float) * rows.Shape.Length, new RowBlocks(Rows: 6, Together: 2)))
                {
                    foreach (var row in Values(rows))
                        MemoryMarshal.AsBytes(row.AsSpan()).CopyTo(writer.NextRow());
                    return new FileRows(writer.Finish(), rows.Labels.clone().DetachFromDisposeScope(), rows.RowIds, rows.Shape, ScalarType.Float32);
                }

            default:
                var matrix = new SparseMatrix(rows.Shape.Length);
                foreach (var row in Values(rows))
                    matrix.Add(row);
                return new SparseRows(matrix, rows.Labels.clone().DetachFromDisposeScope(), rows.RowIds);
        }
    }

    private static IEnumerable<float[]> Values(IRowSource rows)
    {
        using var all = rows.AllFeatures();
        return all.data<float>().ToArray().Chunk(rows.Shape.Length);
    }

    /// <summary>The first rows in memory and the others in a file.</summary>
    private static JoinedRows Joined(IRowSource rows)
    {
        using var scope = NewDisposeScope();
        var cut = rows.Count / 3;
        using var last = Part(cut, rows.Count - cut);
        return new JoinedRows(Part(0, cut), Source(Place.File, last), secondWeight: 1);

        InMemoryRows Part(long from, long count)
        {
            var positions = arange(from, from + count);
            var ids = RowIds.From(rows.RowIds.Skip((int)from).Take((int)count));
            return new InMemoryRows(rows.Gather(positions, CPU).DetachFromDisposeScope(), rows.Labels.index_select(0, positions).DetachFromDisposeScope(), ids, rows.Shape);
        }
    }

    /// <summary>A student of a teacher that is asked once, over standardised rows shown augmented: all that reads features takes part.</summary>
    private static double[] Trained(IRowSource rows)
    {
        using var scope = NewDisposeScope();
        var statistics = InputStatisticsFactory.Compute(rows, rows.AllPositions(), InputScaling.Standardize);
        using var student = NetworkSpec.Mlp(8).Build(new NetworkInput(rows.Shape, rows.IsByte, statistics), rows.Classes(), 1);
        using var network = NetworkSpec.Mlp(16).Build(new NetworkInput(rows.Shape, rows.IsByte, statistics), rows.Classes(), 2);
        using var teacher = new NetworkTeacher(network, TeacherCaching.InMemory(64));
        using var drawing = new Generator(5);
        using var split = DataSplit.ByFraction(rows, 0.2, drawing);
        using var views = new AugmentedViews([Augmentation.MarginalSwap(0.3), Augmentation.Mixup()], 3, split.Training, classes: 3);
        var loss = (0.5 * new CrossEntropyLoss()) + (0.5 * new KdLoss(4));
        var settings = new LoopSettings { View = (positions, view) => views.GetBatch(rows, positions, view) };
        Runs.Train(student, rows, Runs.Stage(4, loss, teacher), split: split, settings: settings);
        return Runs.State(student);
    }
}

using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class RowSourceQueriesTests
{
    private const long None = IRowSource.MissingLabel;

    [Test]
    public void Labels_and_weights_are_looked_for_at_the_positions_alone()
    {
        using var scope = NewDisposeScope();
        using var rows = Toy.Set(zeros(5, 1), [0, None, 1, None, 1], InputShape.Vector(1), 2, [0, 0, 2, 3, 0]);
        // Of each set of positions: a label, a weight above 0, both in one row.
        (long[] Positions, bool Label, bool Weight, bool Both)[] expected =
        [
            ([], false, false, false),
            ([0], true, false, false),
            ([1], false, false, false),
            ([2], true, true, true),
            ([3], false, true, false),
            ([0, 1, 3, 4], true, true, false),
            ([3, 2], true, true, true),
        ];
        foreach (var (positions, label, weight, both) in expected)
        {
            var at = tensor(positions, int64);
            Assert.That((rows.HasLabel(at), rows.HasWeight(at), rows.HasLabelledWeight(at)), Is.EqualTo((label, weight, both)), string.Join(' ', positions));
        }
    }

    [Test]
    public void Without_weights_every_row_counts()
    {
        using var scope = NewDisposeScope();
        using var rows = Toy.Set(zeros(3, 1), [0, None, 1], InputShape.Vector(1), 2);
        Assert.That((rows.HasWeight(tensor([1L])), rows.HasLabelledWeight(tensor([1L]))), Is.EqualTo((true, false)));
        Assert.That((rows.HasWeight(tensor([1L, 2])), rows.HasLabelledWeight(tensor([1L, 2]))), Is.EqualTo((true, true)));
        Assert.That((rows.HasWeight(zeros(0, int64)), rows.HasLabelledWeight(zeros(0, int64))), Is.EqualTo((false, false)));
        Assert.That(rows.LabelledRows, Is.EqualTo(2));
    }

    [Test]
    public void Features_take_the_memory_of_all_rows_of_stored_elements_or_of_blocks()
    {
        using var scope = NewDisposeScope();
        using var bytes = Toy.Set(zeros(5, 3, uint8), new long[5], InputShape.Vector(3), 2);
        Assert.That(bytes.FeatureBytes, Is.EqualTo(15));
        using var joined = new JoinedRows(Toy.Set(zeros(5, 3), new long[5], InputShape.Vector(3), 2), Toy.Set(zeros(2, 3), new long[2], InputShape.Vector(3), 2), 1);
        Assert.That(joined.FeatureBytes, Is.EqualTo(7 * 3 * 4));
        var matrix = new SparseMatrix(3);
        matrix.Add([0, 1, 0]);
        using var sparse = new SparseRows(matrix, zeros(1, int64), Toy.Ids(1));
        Assert.That(sparse.FeatureBytes, Is.EqualTo(16));
        using var writer = RowFileWriter.Create(null, "rows", (int)ScalarType.Float32, 12, new RowBlocks(Rows: 2, Together: 4));
        for (var row = 0; row < 5; row++)
            writer.NextRow().Clear();
        using var file = new FileRows(writer.Finish(), zeros(5, int64), Toy.Ids(5), InputShape.Vector(3), float32);
        Assert.That(file.FeatureBytes, Is.EqualTo(3 * 2 * 12), "three blocks");
    }

    [Test]
    public void A_shard_of_rows_that_stay_where_they_are_has_their_weights_elements_and_smaller_blocks()
    {
        using var scope = NewDisposeScope();
        using var rows = new RecordingRows(Toy.Set(arange(14).to(float32).reshape(7, 2), [0, 1, 0, None, 0, 1, 0], InputShape.Vector(2), 2, [1, 2, 3, 4, 5, 6, 7]))
        {
            Blocks = new RowBlocks(Rows: 6, Together: 4),
        };
        using var shard = new StridedRows(rows, 1, 3);
        Assert.That(Near.Values(shard.Weights!), Is.EqualTo(new double[] { 2, 5 }));
        Assert.That(Near.Values(shard.GatherElements(tensor(new long[,] { { 1, 0 }, { 0, 0 } }), CPU)), Is.EqualTo(new double[] { 8, 3, 2, 3 }));
        Assert.That(shard.Blocks, Is.EqualTo(new RowBlocks(Rows: 2, Together: 4)));
        Assert.That(shard.HasMissingLabels, Is.False);
        using var single = new StridedRows(rows, 3, 7);
        Assert.That(single.HasMissingLabels);
        Assert.That(single.Blocks, Is.EqualTo(new RowBlocks(Rows: 1, Together: 4)), "a block has at least one row");
        Assert.That(() => new StridedRows(rows, 3, 3), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith("The rank of a shard must be from 0 to 2; was 3."));
        Assert.That(() => new StridedRows(rows, 0, 8), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }
}

using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>What is of the joined rows alone: weights and blocks, which their parts count for themselves.</summary>
public sealed class JoinedRowsTests
{
    private const int BlockRows = 10;

    [Test]
    public void Weights_are_those_of_the_first_rows_and_the_given_one_of_the_second()
    {
        Assert.That(Weights(null, 1), Is.Null, "all rows have the same weight");
        Assert.That(Weights(null, 0.5), Is.EqualTo(new[] { 1, 1, 0.5, 0.5, 0.5 }));
        Assert.That(Weights([3, 4], 1), Is.EqualTo(new double[] { 3, 4, 1, 1, 1 }));
        Assert.That(Weights([3, 4], 0.5), Is.EqualTo(new[] { 3, 4, 0.5, 0.5, 0.5 }));
    }

    [TestCase(false, false)]
    [TestCase(true, false)]
    [TestCase(false, true)]
    public void A_label_is_missing_where_one_of_either_part_is(bool ofFirst, bool ofSecond)
    {
        using var rows = new JoinedRows(Labelled(ofFirst), Labelled(ofSecond), 1);
        Assert.That(rows.HasMissingLabels, Is.EqualTo(ofFirst || ofSecond));

        static InMemoryRows Labelled(bool isMissing) => Toy.Set(zeros(2, 1), [1, isMissing ? IRowSource.MissingLabel : 0], InputShape.Vector(1), 2);
    }

    // A block of the joined rows reads two blocks of the second source.
    [TestCase(8, null, 8)]
    [TestCase(null, 8, 4)]
    [TestCase(null, 1, 1)]
    [TestCase(8, 4, 2)]
    [TestCase(4, 8, 2)]
    [TestCase(1, 1, 1)]
    public void As_many_blocks_are_read_together_as_each_part_can_hold(int? first, int? second, int expected)
    {
        using var rows = new JoinedRows(Part(3, first), Part(3, second), 1);
        Assert.That(rows.Blocks, Is.EqualTo(new RowBlocks(BlockRows, expected)));
    }

    [Test]
    public void Rows_that_are_read_as_fast_in_any_order_have_no_blocks_when_they_are_joined()
    {
        using var rows = new JoinedRows(Part(3, null), Part(3, null), 1);
        Assert.That(rows.Blocks, Is.Null);
    }

    [Test]
    public void The_blocks_that_a_block_of_the_joined_rows_needs_are_read_ahead_of_both_parts(
        [Values(20, 21, 25, 29)] int firstRows, [Values(1, 28, 29, 30, 31, 33)] int secondRows)
    {
        var total = (firstRows + secondRows + BlockRows - 1) / BlockRows;
        for (var from = 0; from < total; from++)
        {
            for (var count = 1; count <= 2; count++)
            {
                RecordingRows first = Part(firstRows, 4), second = Part(secondRows, 4);
                using var rows = new JoinedRows(first, second, 1);
                rows.ReadAhead([.. Enumerable.Range(from, count).Where(block => block < total).Select(block => (long)block)]);
                var needed = Enumerable.Range(from * BlockRows, count * BlockRows).Where(row => row < firstRows + secondRows).ToArray();
                Assert.That(first.BlocksAhead, Is.EquivalentTo(Needed(needed.Where(row => row < firstRows))), $"{count} from {from}");
                Assert.That(second.BlocksAhead, Is.EquivalentTo(Needed(needed.Where(row => row >= firstRows).Select(row => row - firstRows))), $"{count} from {from}");
            }
        }

        static IEnumerable<long> Needed(IEnumerable<int> positions) => positions.Select(row => (long)row / BlockRows).Distinct();
    }

    private static double[]? Weights(float[]? first, double second)
    {
        using var rows = new JoinedRows(
            Toy.Set(zeros(2, 1), [0, 1], InputShape.Vector(1), 2, first), Toy.Set(zeros(3, 1), [0, 1, 0], InputShape.Vector(1), 2), second);
        return rows.Weights is { } weights ? Near.Values(weights) : null;
    }

    private static RecordingRows Part(int count, int? together) =>
        new(Toy.Set(zeros(count, 1), new long[count], InputShape.Vector(1), 2)) { Blocks = together is { } blocks ? new RowBlocks(BlockRows, blocks) : null };
}

using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>What is computed of sparse rows from their stored elements is what is computed of the same rows written out.</summary>
public sealed class StoredElementsTests
{
    private const int Count = 500;
    private const int Width = 40;
    private readonly float[][] _rows = [.. Draw()];

    [Test]
    public void Scaling_hash_and_largest_feature_are_those_of_the_rows_written_out()
    {
        using var scope = NewDisposeScope();
        using var sparse = Sparse();
        using var dense = Dense();
        Assert.That(sparse, Is.InstanceOf<ISparseSource>());
        Assert.That(DataHash.Compute(sparse), Is.EqualTo(DataHash.Compute(dense)));
        Assert.That(sparse.LargestFeature(), Is.EqualTo(dense.LargestFeature()));
        // Some of the rows, and one of them twice.
        var positions = cat([arange(1, sparse.Count, 2, int64), zeros(2, int64)]);
        var (found, expected) = (
            InputStatisticsFactory.Compute(sparse, positions, InputScaling.Standardize)!, InputStatisticsFactory.Compute(dense, positions, InputScaling.Standardize)!);
        Assert.That(found.Mean, Is.EqualTo(expected.Mean));
        Assert.That(found.Deviation, Is.EqualTo(expected.Deviation));
    }

    [Test]
    public void The_range_of_a_feature_has_0_unless_every_row_stores_it([Values] bool hasEmptyRows)
    {
        using var scope = NewDisposeScope();
        using var sparse = Sparse();
        long[] positions = [.. Enumerable.Range(0, Count).Where(row => row % 3 == 1 && (hasEmptyRows || row % 50 != 7))];
        var (least, most) = StoredStatistics.FindRanges((ISparseSource)sparse, tensor(positions), Width);
        float[][] some = [.. positions.Select(row => _rows[row])];
        // The first feature is above 3 in all rows that are not empty.
        Assert.That(least[0], hasEmptyRows ? Is.Zero : Is.GreaterThanOrEqualTo(3));
        Assert.That(least, Is.EqualTo(Enumerable.Range(0, Width).Select(column => some.Min(row => row[column]))));
        Assert.That(most, Is.EqualTo(Enumerable.Range(0, Width).Select(column => some.Max(row => row[column]))));
    }

    [Test]
    public void Statistics_of_rows_that_would_fill_eighty_gigabytes_take_the_memory_of_a_row()
    {
        const int wide = 10_000_000;
        var matrix = new SparseMatrix(wide);
        for (var row = 0; row < 2000; row++)
            matrix.Add([row, wide - 1], [1, 2]);
        using var rows = new SparseRows(matrix, zeros(2000, int64), Ids(2000));
        using var scope = NewDisposeScope();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var (sums, squares) = StoredStatistics.SumFeatures(rows, rows.AllPositions(), wide);
        // Two numbers of 8 bytes for each feature.
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan((16L * wide) + 1_000_000));
        Assert.That((sums[0], sums[1999], sums[2000], sums[^1], squares[^1]), Is.EqualTo((1, 1, 0, 4000, 8000)));
        Assert.That(rows.LargestFeature(), Is.EqualTo(2));
    }

    private static IEnumerable<float[]> Draw()
    {
        var random = new Random(4);
        for (var row = 0; row < Count; row++)
        {
            var values = new float[Width];
            for (var i = 0; i < 5; i++)
                values[random.Next(2, Width - 1)] = (float)Math.Pow(10, random.Next(-3, 4)) * (random.NextSingle() - 0.6f);
            // The first feature is stored in every row, the second is minus zero, the last is 0 everywhere.
            (values[0], values[1]) = (3 + random.NextSingle(), -0f);
            yield return row % 50 == 7 ? new float[Width] : values;
        }
    }

    private static RowIds Ids(int count) => RowIds.From(Enumerable.Range(0, count).Select(row => new RowId((ulong)row * 5, 1)));

    private IRowSource Sparse()
    {
        var matrix = new SparseMatrix(Width);
        foreach (var row in _rows)
            matrix.Add(row);
        return new SparseRows(matrix, zeros(Count, int64).DetachFromDisposeScope(), Ids(Count));
    }

    private IRowSource Dense() => new InMemoryRows(
        tensor([.. _rows.SelectMany(row => row)], [Count, Width]).DetachFromDisposeScope(), zeros(Count, int64).DetachFromDisposeScope(), Ids(Count), InputShape.Vector(Width));
}

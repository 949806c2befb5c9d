using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>What reads many rows gathers as many of them at a time as a limit of memory allows, and all of them once.</summary>
public sealed class ChunksTests
{
    [TestCase(6, 3, new[] { 3, 3 })]
    [TestCase(7, 3, new[] { 3, 3, 1 })]
    [TestCase(2, 3, new[] { 2 })]
    [TestCase(0, 3, new int[0])]
    public void Positions_are_split_into_parts_of_a_size_and_a_rest(int count, int size, int[] expected)
    {
        using var scope = NewDisposeScope();
        var parts = Chunks.Split(arange(count), size).Select(part => part.data<long>().ToArray()).ToArray();
        Assert.That(parts.Select(part => part.Length), Is.EqualTo(expected));
        Assert.That(parts.SelectMany(part => part), Is.EqualTo(Enumerable.Range(0, count)));
    }

    [Test]
    public void Features_of_rows_that_are_gathered_at_a_time_take_64_mebibytes_at_most()
    {
        using var rows = Toy.Set(zeros(2, 1024), [0, 1], InputShape.Vector(1024), 2);
        Assert.That(Chunks.RowsAtATime(rows), Is.EqualTo(16384));
        Assert.That(Chunks.RowsAtATime(rows, most: 100), Is.EqualTo(100));
    }

    [Test]
    public void Elements_are_picked_out_of_16_mebibytes_of_rows_at_a_time()
    {
        // 1,997 rows of 2,100 elements have 2²² elements at most.
        const int length = 2100;
        using var scope = NewDisposeScope();
        using var recorded = new RecordingRows(Toy.Set(arange(3 * length).to(float32).reshape(3, length), [0, 1, 2], InputShape.Vector(length), 3));
        var rows = Enumerable.Range(0, 2 * length).Select(element => element * 7L % 3).ToArray();
        var found = ((IRowSource)recorded).GatherElements(tensor(rows).reshape(2, length), CPU);
        Assert.That(found.data<float>().ToArray(), Is.EqualTo(rows.Select((row, element) => (float)((row * length) + (element % length)))));
        Assert.That(recorded.Gathered, Is.EqualTo(new[] { 1997, 1997, 206 }));
    }

    [TestCase(1 << 21, new[] { 2, 1 })]
    [TestCase((1 << 21) + 1, new[] { 1, 1, 1 })]
    public void Statistics_add_up_the_rows_that_are_read_one_part_after_the_other(int length, int[] expected)
    {
        using var scope = NewDisposeScope();
        var features = stack([full(length, 0, dtype: uint8), full(length, 30, dtype: uint8), full(length, 90, dtype: uint8)]);
        using var rows = new RecordingRows(Toy.Set(features, [0, 1, 2], InputShape.Vector(length), 3));
        var statistics = InputStatisticsFactory.Compute(rows, rows.AllPositions(), InputScaling.Auto)!;
        Assert.That(rows.Gathered, Is.EqualTo(expected));
        Assert.That(statistics.Mean.Single(), Is.EqualTo(40));
        // (40² + 10² + 50²) / 3
        Assert.That(statistics.Deviation.Single(), Is.EqualTo(Math.Sqrt(1400)).Within(1e-4));
    }
}

using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class SpreadPositionsTests
{
    [TestCase(10, 4, new long[] { 0, 2, 5, 7 })]
    [TestCase(4, 4, new long[] { 0, 1, 2, 3 })]
    [TestCase(3, 10, new long[] { 0, 1, 2 })]
    // Three times the rows are more than a 64-bit integer holds.
    [TestCase(8_000_000_000_000_000_000, 4, new[] { 0, 2_000_000_000_000_000_000, 4_000_000_000_000_000_000, 6_000_000_000_000_000_000 })]
    public void At_most_so_many_positions_are_spread_evenly(long rows, long most, long[] positions)
    {
        using var found = SpreadPositions.Create(rows, most, CPU);
        Assert.That(found.data<long>(), Is.EqualTo(positions));
    }
}

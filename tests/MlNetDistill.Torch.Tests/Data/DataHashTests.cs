using System.Numerics;
using System.Security.Cryptography;
using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class DataHashTests
{
    [Test]
    public void It_is_the_sum_of_the_hashes_of_rows_by_lanes()
    {
        using var hash = new DataHash();
        var lanes = new BigInteger[4];
        for (byte row = 0; row < 9; row++)
        {
            byte[] values = [row, 1, 2];
            hash.Add(new RowId(row, 7), values);
            var one = SHA256.HashData([row, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, .. values]);
            for (var lane = 0; lane < 4; lane++)
                lanes[lane] += new BigInteger(one.AsSpan(8 * lane, 8), isUnsigned: true);
        }

        Assert.That(hash.Value, Is.EqualTo("9 rows " + string.Concat(lanes.Select(l => ((ulong)(l % (BigInteger.One << 64))).ToString("x16")))));
    }

    [Test]
    public void A_row_in_pieces_is_the_row_in_one()
    {
        using var whole = new DataHash();
        using var pieces = new DataHash();
        whole.Add(new RowId(1, 2), [1, 2, 3, 4]);
        pieces.Begin(new RowId(1, 2));
        pieces.Append([1]);
        pieces.Append([2, 3, 4]);
        pieces.End();
        Assert.That(pieces.Value, Is.EqualTo(whole.Value));
    }

    [Test]
    public void The_order_of_rows_makes_no_difference_and_everything_else_does()
    {
        float[,] rows = { { 1, 2 }, { 3, 4 }, { 5, 6 } };
        var hash = ComputeHash(tensor(rows), 0, 1, 2);
        Assert.That(ComputeHash(tensor(new float[,] { { 5, 6 }, { 1, 2 }, { 3, 4 } }), 2, 0, 1), Is.EqualTo(hash));
        Assert.That(ComputeHash(tensor(rows), 1, 0, 2), Is.Not.EqualTo(hash), "values of two rows swapped");
        Assert.That(ComputeHash(tensor(rows), 0, 1, 3), Is.Not.EqualTo(hash), "another row");
        Assert.That(ComputeHash(tensor(new float[,] { { 1, 2 }, { 3, 4 }, { 5, 6.0001f } }), 0, 1, 2), Is.Not.EqualTo(hash), "another value");
        Assert.That(ComputeHash(tensor(new float[,] { { 1, 2 }, { 3, 4 } }), 0, 1), Is.Not.EqualTo(hash), "a row less");
        Assert.That(ComputeHash(tensor(new byte[,] { { 1, 2 }, { 3, 4 }, { 5, 6 } }), 0, 1, 2), Is.Not.EqualTo(hash), "bytes");
        Assert.That(hash, Does.StartWith("Float32 "));
    }

    private static string ComputeHash(Tensor features, params ulong[] ids)
    {
        var labels = zeros(ids.Length, dtype: int64);
        using var set = new InMemoryRows(features, labels, RowIds.From(ids.Select(id => new RowId(id, 0))), InputShape.Vector(2));
        return DataHash.Compute(set);
    }
}

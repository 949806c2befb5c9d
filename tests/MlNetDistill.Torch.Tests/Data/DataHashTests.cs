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

    [Test]
    public void The_hash_of_a_source_is_that_of_its_rows_one_by_one()
    {
        using var expected = new DataHash();
        for (var row = 0; row < 40; row++)
            expected.Add(new RowId((ulong)row + 5, 0), [.. BitConverter.GetBytes(2f * row), .. BitConverter.GetBytes((2f * row) + 1)]);
        var found = ComputeHash(arange(80).to(float32).reshape(40, 2), [.. Enumerable.Range(5, 40).Select(id => (ulong)id)]);
        Assert.That(found, Is.EqualTo($"Float32 vector of 2 {expected.Value}"));
    }

    [Test]
    public void Rows_that_are_too_long_to_be_gathered_at_once_have_the_ids_of_their_own()
    {
        const int length = (32 << 20) + 1;
        using var scope = NewDisposeScope();
        using var rows = new RecordingRows(Toy.Set(stack([full(length, 1, dtype: uint8), full(length, 2, dtype: uint8)]), [0, 0], InputShape.Vector(length), 1));
        using var expected = new DataHash();
        var values = new byte[length];
        for (byte row = 0; row < 2; row++)
        {
            Array.Fill(values, (byte)(row + 1));
            expected.Add(rows.RowIds[row], values);
        }

        Assert.That(DataHash.Compute(rows), Does.EndWith(expected.Value));
        Assert.That(rows.Gathered, Is.EqualTo(new[] { 1, 1 }));
    }

    private static string ComputeHash(Tensor features, params ulong[] ids)
    {
        var labels = zeros(ids.Length, dtype: int64);
        using var set = new InMemoryRows(features, labels, RowIds.From(ids.Select(id => new RowId(id, 0))), InputShape.Vector(2));
        return DataHash.Compute(set);
    }
}

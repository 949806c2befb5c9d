using MlNetDistill.Data;

namespace MlNetDistill.Tests;

public sealed class SparseMatrixTests
{
    [Test]
    public void It_takes_eight_bytes_for_each_element_but_zeros_and_eight_for_each_row()
    {
        var matrix = new SparseMatrix(4);
        matrix.Add([0, 5, 0, -0f]);
        matrix.Add([1, 2], [0, 7]);
        matrix.Add([0, 0, 0, 0]);
        Assert.That((matrix.Rows, matrix.Stored), Is.EqualTo((3, 3)));
        Assert.That(matrix.Bytes, Is.EqualTo(48));
    }

    [Test]
    public void Stored_elements_of_rows_longer_than_a_block_are_read_in_pieces_in_their_order()
    {
        const int width = 400_000;
        var matrix = new SparseMatrix(width);
        for (var row = 0; row < 3; row++)
            matrix.Add([.. Enumerable.Range(1, width).Select(value => (float)(value + row))]);
        for (var row = 0; row < 3; row++)
        {
            var (columns, values) = (new List<int>(), new List<float>());
            matrix.ReadStored(row, (someColumns, someValues) =>
            {
                columns.AddRange(someColumns);
                values.AddRange(someValues);
            });
            // Not by a constraint, which would compare a million boxed numbers.
            Assert.That(columns.SequenceEqual(Enumerable.Range(0, width)), $"row {row}");
            Assert.That(values.SequenceEqual(Enumerable.Range(1, width).Select(value => (float)(value + row))), $"row {row}");
        }
    }

    [Test]
    public void A_row_beyond_32_bits_is_not_mistaken_for_another()
    {
        var matrix = new SparseMatrix(1);
        matrix.Add([1]);
        Assert.That(() => matrix[1L << 32, 0], Throws.InstanceOf<OverflowException>());
    }
}

using MlNetDistill.Reading;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Data;

/// <summary>Rows collected while their number is unknown, or known wrongly.</summary>
public sealed class TensorBuilderTests
{
    // Of 4 KiB each: more than the first block holds, more than two.
    [TestCase(0, null)]
    [TestCase(1, null)]
    [TestCase(700, null)]
    [TestCase(700, 700L)]
    [TestCase(700, 699L)]
    [TestCase(700, 1L)]
    [TestCase(700, 800L)]
    [TestCase(3, 800L)]
    [TestCase(0, 800L)]
    [TestCase(3, long.MaxValue)]
    public void All_rows_come_in_order_whatever_number_was_expected(int rows, long? expected)
    {
        using var builder = new TensorBuilder<float>(ScalarType.Float32, [2, 512], expected);
        for (var row = 0; row < rows; row++)
            builder.NextRow().Fill(row);
        Assert.That(builder.Rows, Is.EqualTo(rows));
        using var scope = NewDisposeScope();
        using var all = builder.ToTensor();
        Assert.That(all.shape, Is.EqualTo(new long[] { rows, 2, 512 }));
        Assert.That(all.amin([1, 2]).data<float>().ToArray(), Is.EqualTo(Enumerable.Range(0, rows).Select(row => (float)row)));
        Assert.That(all.amax([1, 2]).data<float>().ToArray(), Is.EqualTo(Enumerable.Range(0, rows).Select(row => (float)row)));
    }

    [Test]
    public void Single_values_are_rows_too()
    {
        using var builder = new TensorBuilder<bool>(ScalarType.Bool, []);
        builder.Add(true);
        builder.Add(false);
        using var all = builder.ToTensor();
        Assert.That(all.data<bool>().ToArray(), Is.EqualTo(new[] { true, false }));
    }

    [Test]
    public void The_tensor_outlives_the_scope_it_was_made_in()
    {
        Tensor all;
        using (NewDisposeScope())
        {
            using var builder = new TensorBuilder<long>(ScalarType.Int64, [], 2);
            builder.Add(7);
            builder.Add(8);
            all = builder.ToTensor();
        }

        Assert.That(all.data<long>().ToArray(), Is.EqualTo(new long[] { 7, 8 }));
        all.Dispose();
    }
}

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
    public void Rows_that_do_not_fit_into_memory_are_refused_before_they_use_it([Values] bool isCountKnown)
    {
        // Blocks of 64 MiB are returned to the system; the C library may keep smaller ones, which then take no more memory.
        const int Spare = 160 << 20, Block = 64 << 20;
        // What earlier tests left must not be given back meanwhile.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        var memory = Environment.WorkingSet + Spare;
        // A known number of rows is not enough to refuse them, as some may be left out.
        using var builder = new TensorBuilder<float>(ScalarType.Float32, [1 << 20], isCountKnown ? 1000 : null, "The features of the training data", memory);
        var fault = Assert.Throws<InvalidOperationException>(() =>
        {
            for (var row = 0; row < 500; row++)
                builder.NextRow().Fill(row);
        })!;
        Assert.That(builder.Rows, Is.LessThanOrEqualTo((Spare + Block) >> 22));
        var rows = isCountKnown ? 1000 : builder.Rows;
        Assert.That(fault.Message, Does.StartWith(
            FormattableString.Invariant($"The features of the training data do not fit into memory: {rows:N0} rows need {rows << 22:N0} bytes, 4,194,304 each; {memory:N0} bytes are available")));
        Assert.That(fault.Message, Does.Contain("Use fewer rows (TakeRows, BootstrapSample); fewer features"));
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

using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;
using RowDraws = MlNetDistill.Data.RowDraws;

namespace MlNetDistill.Tests;

/// <summary>What an application's augmentation may return, and what is said of each mistake.</summary>
public sealed class FeatureAugmentationTests
{
    [Test]
    public void Of_each_augmentation_some_rows_of_the_first_batch_are_augmented_twice()
    {
        using var scope = NewDisposeScope();
        using var set = Floats(5, 1);
        var (first, second) = (new List<double[]>(), new List<double[]>());
        using var views = Views(set, Seen(first), Seen(second));
        _ = views.GetBatch(set, arange(5, int64), 1);
        _ = views.GetBatch(set, arange(4, int64), 1);
        // In another order, so that a change which depends on the order differs.
        Assert.That(first, Is.EqualTo(new double[][] { [1, 2, 3, 4, 5], [5, 3, 1], [1, 2, 3, 4] }));
        Assert.That(second, Is.EqualTo(first));

        static Change Seen(List<double[]> seen) => new("seen", (rows, _) =>
        {
            seen.Add(Near.Values(rows));
            return rows.clone();
        });
    }

    [Test]
    public void A_row_alone_cannot_be_compared_and_the_next_batch_is()
    {
        using var scope = NewDisposeScope();
        using var set = Floats(4, 1);
        var change = Shifted(1);
        using var views = Views(set, change);
        Assert.That(() => views.GetBatch(set, tensor(new long[] { 0 }), 1), Throws.Nothing);
        Assert.That(() => views.GetBatch(set, tensor(new long[] { 0, 1 }), 1), Throws.InvalidOperationException.With.Message.StartsWith(
            $"The augmentation {change} gave different values for the same rows").And.Message.Contains("Take random numbers from the RowDraws"));
    }

    // Two results for the same row may differ by 1e-4 of the largest value.
    [TestCase(1000, 0.05, true)]
    [TestCase(1000, 0.2, false)]
    [TestCase(0.01, 1e-7, true)]
    [TestCase(0.01, 1e-5, false)]
    [TestCase(0, 0, true)]
    [TestCase(double.NaN, 0, true)]
    public void Floats_may_differ_by_rounding(double value, double shift, bool isEqual)
    {
        using var scope = NewDisposeScope();
        using var set = Toy.Set(full(4, 2, value, dtype: float32), new long[4], InputShape.Vector(2), 2);
        Assert.That(() => Viewed.All(set, Shifted(shift)), isEqual ? Throws.Nothing : Throws.InvalidOperationException);
    }

    [TestCase(1, true)]
    [TestCase(2, false)]
    public void Bytes_may_be_rounded_either_way(int shift, bool isEqual)
    {
        using var scope = NewDisposeScope();
        using var set = Toy.Set(full(4, 2, 100, dtype: ScalarType.Byte), new long[4], InputShape.Vector(2), 2);
        Assert.That(() => Viewed.All(set, Shifted(shift, ScalarType.Byte)), isEqual ? Throws.Nothing : Throws.InvalidOperationException);
    }

    [Test]
    public void A_change_by_the_rows_and_their_draws_is_accepted_and_one_by_other_rows_is_not()
    {
        using var scope = NewDisposeScope();
        using var set = Toy.Clouds(8);
        Assert.That(() => Viewed.All(set, new Change("own", (rows, draws) => rows.mul(draws.Uniform("scale").unsqueeze(1)).Add(draws.NormalElements("noise")))), Throws.Nothing);
        Assert.That(() => Viewed.All(set, new Change("mean", (rows, _) => rows.sub(rows.mean([0], keepdim: true)))), Throws.InvalidOperationException);
        Assert.That(() => Viewed.All(set, new Change("neighbour", (rows, _) => rows.Add(rows.roll(1, 0)))), Throws.InvalidOperationException);
    }

    public static IEnumerable<TestCaseData> WrongResults()
    {
        yield return Case(_ => null, "returned null instead of rows");
        yield return Case(Disposed, "returned a disposed tensor instead of rows");
        yield return Case(rows => rows.to(float64), "returned Float64 [5, 2] for rows [5, 2]; it must return Float32 or Byte of the same shape");
        yield return Case(rows => rows.narrow(1, 0, 1), "returned Float32 [5, 1] for rows [5, 2]");
        yield return Case(rows => rows.to(ScalarType.Byte), "returned Byte for rows of Float32, which rounds them to whole numbers from 0 to 255; return Float32");
        yield return Case(rows => rows.shape[0] < 5 ? null : rows.clone(), "returned null instead of rows");
        yield return Case(rows => rows.shape[0] < 5 ? rows.narrow(1, 0, 1) : rows.clone(), "returned Float32 [3, 1] for rows [3, 2]");

        static TestCaseData Case(Func<Tensor, Tensor?> change, string fault) => new TestCaseData(change, fault).SetArgDisplayNames(fault);

        static Tensor Disposed(Tensor rows)
        {
            var copy = rows.clone();
            copy.Dispose();
            return copy;
        }
    }

    [TestCaseSource(nameof(WrongResults))]
    public void A_wrong_result_is_named(Func<Tensor, Tensor?> change, string fault)
    {
        using var scope = NewDisposeScope();
        using var set = Floats(5, 2);
        var augmentation = new Change("wrong", (rows, _) => change(rows));
        Assert.That(() => Viewed.All(set, augmentation), Throws.InvalidOperationException.With.Message.StartsWith($"The augmentation {augmentation} {fault}"));
    }

    [Test]
    public void Bytes_may_stay_bytes_or_become_floats([Values(ScalarType.Byte, ScalarType.Float32)] ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var set = Viewed.Bytes(6, 1, 2, 2);
        var seen = Viewed.All(set, new Change("kept", (rows, _) => rows.to(type))).Features;
        Assert.That(seen.dtype, Is.EqualTo(type));
        Assert.That(Near.Values(seen), Is.EqualTo(Near.Values(set.AllFeatures())));
    }

    /// <summary>Row i is all i + 1.</summary>
    private static InMemoryRows Floats(int rows, int length) =>
        Toy.Set(arange(1, rows + 1).to(float32).unsqueeze(1).expand(rows, length).contiguous(), new long[rows], InputShape.Vector(length), 2);

    private static AugmentedViews Views(InMemoryRows set, params Augmentation[] augmentations) => new(augmentations, 1, arange(set.Count, int64), classes: 2);

    /// <summary>Adds a number to all values, twice that the second time, and so on.</summary>
    private static Change Shifted(double by, ScalarType type = ScalarType.Float32)
    {
        var times = 0;
        return new Change("shifted", (rows, _) => rows.to(float32).Add(by * ++times).to(type));
    }

    private sealed record Change(string Name, Func<Tensor, RowDraws, Tensor?> Of) : FeatureAugmentation
    {
        protected override Tensor Apply(Tensor features, RowDraws draws) => Of(features, draws)!;
    }
}

using MlNetDistill.Fitting;

namespace MlNetDistill.Tests.Teachers;

/// <summary>The agreement that a student can reach, of more rows than are kept.</summary>
public sealed class AgreementCeilingTests
{
    [Test]
    public void Of_many_rows_it_is_that_of_a_part_of_them()
    {
        // Of each three rows with equal features, two get one class.
        const int features = 2 * AgreementCeiling.MostPairs;
        var ceiling = new AgreementCeiling();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var random = new Random(1);
        for (var i = 0; i < features; i++)
        {
            var hash = (ulong)random.NextInt64() << 1;
            foreach (var predicted in new[] { 3, 8, 3 })
                ceiling.Add(hash, predicted);
        }

        Assert.That(ceiling.Value, Is.EqualTo(2 / 3.0).Within(1e-12));
        // 16 bytes a row would be 320 MB more.
        for (var i = 0; i < 20_000_000; i++)
            ceiling.Add((ulong)random.NextInt64() << 1, 1);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(200_000_000));
    }

    [TestCase(1.0, 1, 1, 1)]
    [TestCase(0.75, 1, 1, 2, 1)]
    [TestCase(0.5, 1, 2)]
    public void Of_rows_with_equal_features_the_most_frequent_class_counts(double expected, params int[] predicted)
    {
        var ceiling = new AgreementCeiling();
        foreach (var named in predicted)
            ceiling.Add(5, named);
        Assert.That(ceiling.Value, Is.EqualTo(expected));
    }
}

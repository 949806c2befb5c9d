using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class DataSplitTests
{
    [TestCase(100, 0.2, 20)]
    [TestCase(10, 0.25, 2)]
    [TestCase(10, 0.01, 1)]
    [TestCase(10, 0.99, 9)]
    public void A_fraction_holds_out_its_share_and_trains_on_the_rest(int rows, double fraction, int held)
    {
        using var set = Toy.Clouds(rows);
        using var split = ByFraction(set, fraction, 1);
        Assert.That(Positions(split.Validation!), Has.Length.EqualTo(held));
        Assert.That(Positions(split.Training).Concat(Positions(split.Validation!)), Is.EquivalentTo(Enumerable.Range(0, rows)));
        Assert.That(split.ValidationSet, Is.SameAs(set));
    }

    [Test]
    public void The_same_generator_holds_out_the_same_rows_and_another_holds_out_others()
    {
        using var set = Toy.Clouds(100);
        using var first = ByFraction(set, 0.2, 1);
        using var again = ByFraction(set, 0.2, 1);
        using var other = ByFraction(set, 0.2, 2);
        Assert.That(Positions(again.Validation!), Is.EqualTo(Positions(first.Validation!)));
        Assert.That(Positions(other.Validation!), Is.Not.EqualTo(Positions(first.Validation!)));
    }

    [Test]
    public void Rows_without_a_label_are_all_trained_on()
    {
        long[] labels = [.. Enumerable.Range(0, 20).Select(i => i % 2 == 0 ? 1L : IRowSource.MissingLabel)];
        using var set = Toy.Set(zeros(20, 1), labels, InputShape.Vector(1), 2);
        using var split = ByFraction(set, 0.3, 1);
        Assert.That(Positions(split.Validation!), Has.Length.EqualTo(3).And.All.Matches<long>(p => p % 2 == 0));
        Assert.That(Positions(split.Training), Is.SupersetOf(Enumerable.Range(0, 10).Select(i => (2L * i) + 1)).And.Length.EqualTo(17));
    }

    [Test]
    public void A_mask_holds_out_the_rows_where_it_is_true()
    {
        using var set = Toy.Clouds(5);
        using var split = DataSplit.ByMask(set, tensor(new[] { false, true, false, false, true }));
        Assert.That(Positions(split.Training), Is.EqualTo(new long[] { 0, 2, 3 }));
        Assert.That(Positions(split.Validation!), Is.EqualTo(new long[] { 1, 4 }));
    }

    [Test]
    public void Without_a_split_all_rows_are_trained_on()
    {
        using var set = Toy.Clouds(5);
        using var split = DataSplit.All(set);
        Assert.That(Positions(split.Training), Is.EqualTo(new long[] { 0, 1, 2, 3, 4 }));
        Assert.That(split.Validation, Is.Null);
    }

    [Test]
    public void A_set_of_its_own_is_validated_on_whole_and_disposed_of_with_the_split()
    {
        using var set = Toy.Clouds(5);
        var validation = Toy.Clouds(3);
        var split = DataSplit.BySet(set, validation);
        Assert.That(Positions(split.Training), Is.EqualTo(new long[] { 0, 1, 2, 3, 4 }));
        Assert.That(Positions(split.Validation!), Is.EqualTo(new long[] { 0, 1, 2 }));
        split.Dispose();
        Assert.That(validation.Labels.IsInvalid, Is.True);
        Assert.That(set.Labels.IsInvalid, Is.False);
    }

    private static DataSplit ByFraction(InMemoryRows set, double fraction, ulong seed)
    {
        using var generator = new Generator(seed);
        return DataSplit.ByFraction(set, fraction, generator);
    }

    private static long[] Positions(Tensor positions) => positions.data<long>().ToArray();
}

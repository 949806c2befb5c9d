using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Splits of rows to which others are added, of which some are taken away, or which move to another device.</summary>
public sealed class AddedRowsTests
{
    [Test]
    public void Added_rows_are_trained_on_and_counted()
    {
        using var set = Toy.Clouds(5);
        using var once = Toy.Clouds(7);
        using var twice = Toy.Clouds(10);
        using var split = DataSplit.ByMask(set, tensor(new[] { false, true, false, false, true }));
        Assert.That((Positions(split.Given), split.Added), Is.EqualTo((new long[] { 0, 2, 3 }, 0)));
        var given = split.Given;
        split.Add(set, once);
        Assert.That(Positions(split.Training), Is.EqualTo(new long[] { 0, 2, 3, 5, 6 }));
        Assert.That(split.Added, Is.EqualTo(2));
        var between = split.Training;
        split.Add(once, twice);
        Assert.That(Positions(split.Training), Is.EqualTo(new long[] { 0, 2, 3, 5, 6, 7, 8, 9 }));
        Assert.That((Positions(split.Given), split.Added), Is.EqualTo((new long[] { 0, 2, 3 }, 5)));
        Assert.That(split.ValidationSet, Is.SameAs(twice));
        Assert.That(Positions(split.Validation!), Is.EqualTo(new long[] { 1, 4 }));
        Assert.That(split.Given, Is.SameAs(given));
        Assert.That(between.IsInvalid, "the positions of the first addition are of no more use");
    }

    [Test]
    public void A_validation_set_of_its_own_stays_when_rows_are_added()
    {
        using var set = Toy.Clouds(5);
        using var joined = Toy.Clouds(7);
        var validation = Toy.Clouds(3);
        using var split = DataSplit.BySet(set, validation);
        split.Add(set, joined);
        Assert.That(split.ValidationSet, Is.SameAs(validation));
        Assert.That(Positions(split.Training), Is.EqualTo(Enumerable.Range(0, 7)));
    }

    [Test]
    public void Only_rows_that_are_kept_are_trained_on_and_held_out([Values] bool hasAdded, [Values] bool ownValidation)
    {
        using var scope = NewDisposeScope();
        using var set = Toy.Clouds(6);
        using var joined = Toy.Clouds(8);
        using var split = ownValidation ? DataSplit.BySet(set, Toy.Clouds(4)) : DataSplit.ByMask(set, tensor(new[] { false, true, false, false, true, false }));
        if (hasAdded)
            split.Add(set, joined);
        Tensor[] before = [split.Training, split.Given];
        split.Keep(hasAdded ? joined : set, tensor(new[] { true, false, false, true, true, true, false, true }));
        long[] given = ownValidation ? [0, 3, 4, 5] : [0, 3, 5];
        Assert.That(Positions(split.Training), Is.EqualTo(hasAdded ? [.. given, 7] : given));
        Assert.That(Positions(split.Given), Is.EqualTo(given));
        Assert.That(split.Added, Is.EqualTo(hasAdded ? 1 : 0));
        Assert.That(Positions(split.Validation!), Is.EqualTo(ownValidation ? [0, 1, 2, 3] : new long[] { 4 }));
        Assert.That(before.Select(positions => positions.IsInvalid), Has.All.True);
    }

    [Test]
    public void Some_of_the_added_rows_or_none_can_be_trained_on()
    {
        using var set = Toy.Clouds(4);
        using var joined = Toy.Clouds(10);
        using var split = DataSplit.ByMask(set, tensor(new[] { false, true, false, false }));
        split.Add(set, joined);
        using (var some = split.WithAdded([(4, 2), (9, 1)]))
        {
            Assert.That(Positions(some.Training), Is.EqualTo(new long[] { 0, 2, 3, 4, 5, 9 }));
            Assert.That((Positions(some.Given), some.Added), Is.EqualTo((new long[] { 0, 2, 3 }, 3)));
            Assert.That(Positions(some.Validation!), Is.EqualTo(new long[] { 1 }));
            Assert.That(some.ValidationSet, Is.SameAs(joined));
        }

        var without = split.WithoutAdded();
        Assert.That((Positions(without.Training), without.Added), Is.EqualTo((new long[] { 0, 2, 3 }, 0)));
        Assert.That(Positions(split.Validation!), Is.EqualTo(new long[] { 1 }), "the split has its own positions");
    }

    [Test]
    public void A_validation_set_of_its_own_is_validated_on_where_it_has_labels()
    {
        using var set = Toy.Clouds(3);
        Assert.That(Held(0, IRowSource.MissingLabel, 1, IRowSource.MissingLabel), Is.EqualTo(new long[] { 0, 2 }));
        Assert.That(Held(IRowSource.MissingLabel, IRowSource.MissingLabel), Is.EqualTo(new long[] { 0, 1 }), "all of them where none has a label");
        Assert.That(Held(1, 0), Is.EqualTo(new long[] { 0, 1 }));

        long[] Held(params long[] labels)
        {
            using var split = DataSplit.BySet(set, Toy.Set(zeros(labels.Length, 4), labels, InputShape.Vector(4), 2));
            return Positions(split.Validation!);
        }
    }

    [Test]
    public void A_network_that_learns_from_labels_trains_on_rows_that_have_one()
    {
        using var set = Toy.Set(zeros(6, 1), [0, IRowSource.MissingLabel, 1, 1, IRowSource.MissingLabel, 0], InputShape.Vector(1), 2);
        using var split = DataSplit.ByMask(set, tensor(new[] { true, false, false, false, false, false }));
        using var labelled = split.WithLabelledTraining(set);
        Assert.That(Positions(labelled.Training), Is.EqualTo(new long[] { 2, 3, 5 }));
        Assert.That(Positions(labelled.Validation!), Is.EqualTo(new long[] { 0 }));
    }

    [Test]
    public void Positions_move_with_their_rows([Values] bool hasAdded, [Values] bool ownValidation)
    {
        // A device without memory, which every machine has.
        var elsewhere = new Device(TorchSharp.DeviceType.META);
        using var set = Toy.Clouds(3);
        using var joined = Toy.Clouds(5);
        using var split = ownValidation ? DataSplit.BySet(set, Toy.Clouds(2)) : DataSplit.All(set);
        if (hasAdded)
            split.Add(set, joined);
        Tensor?[] before = [split.Training, split.Given, split.Validation];
        split.MoveTo(CPU);
        Assert.That(split.Training, Is.SameAs(before[0]), "they are there already");
        Assert.That(split.Given, Is.SameAs(before[1]));
        Assert.That(split.Validation, Is.SameAs(before[2]));
        Assert.That(before.Select(positions => positions?.IsInvalid), Has.None.True);
        split.MoveTo(elsewhere);
        Assert.That(split.Training.device_type, Is.EqualTo(elsewhere.type));
        Assert.That(split.Given.device_type, Is.EqualTo(elsewhere.type));
        Assert.That(split.Validation?.device_type ?? elsewhere.type, Is.EqualTo(elsewhere.type));
        Assert.That(split.ValidationSet.Device.type, Is.EqualTo(elsewhere.type));
        Assert.That((split.Training.shape[0], split.Added), Is.EqualTo(hasAdded ? (5, 2) : (3, 0)));
        Assert.That(before.Select(positions => positions?.IsInvalid), Has.None.False);
    }

    [Test]
    public void A_split_that_is_disposed_of_frees_its_positions()
    {
        using var set = Toy.Clouds(3);
        using var joined = Toy.Clouds(5);
        var split = DataSplit.ByMask(set, tensor(new[] { true, false, false }));
        split.Add(set, joined);
        Tensor[] positions = [split.Training, split.Given, split.Validation!];
        split.Dispose();
        Assert.That(positions.Select(tensor => tensor.IsInvalid), Has.All.True);
        Assert.That(set.Labels.IsInvalid, Is.False);
    }

    private static long[] Positions(Tensor positions) => positions.data<long>().ToArray();
}

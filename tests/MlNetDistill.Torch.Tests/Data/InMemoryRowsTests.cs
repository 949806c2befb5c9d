using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class InMemoryRowsTests
{
    [Test]
    public void A_batch_gathers_its_rows_with_labels_and_weights()
    {
        using var scope = NewDisposeScope();
        using var set = Toy.Set(arange(8).to(float32).reshape(4, 2), [0, 1, 2, 0], InputShape.Vector(2), 3, [1, 2, 3, 4]);
        var batch = Batch.Gather(set, tensor(new long[] { 3, 1 }));
        Assert.That(Near.Values(batch.Features), Is.EqualTo(new double[] { 6, 7, 2, 3 }));
        Assert.That(Near.Values(batch.Labels), Is.EqualTo(new double[] { 0, 1 }));
        Assert.That(Near.Values(batch.Weights!), Is.EqualTo(new double[] { 4, 2 }));
        Assert.That(batch.View, Is.Zero);
        Assert.That(batch.ToString(), Is.EqualTo("2 rows of vector of 2, view 0"));
    }

    [Test]
    public void Bytes_stay_bytes()
    {
        using var scope = NewDisposeScope();
        using var set = Toy.Set(ones(2, 3, dtype: ScalarType.Byte), [0, 1], InputShape.Vector(3), 2);
        Assert.That(set.IsByte, Is.True);
        Assert.That(Batch.Gather(set, tensor(new long[] { 0 })).Features.dtype, Is.EqualTo(ScalarType.Byte));
    }

    [Test]
    public void A_set_knows_whether_labels_are_missing()
    {
        using var complete = Toy.Set(zeros(2, 1), [0, 1], InputShape.Vector(1), 2);
        using var missing = Toy.Set(zeros(2, 1), [0, IRowSource.MissingLabel], InputShape.Vector(1), 2);
        Assert.That(complete.HasMissingLabels, Is.False);
        Assert.That(missing.HasMissingLabels, Is.True);
    }

    [Test]
    public void Tensors_that_disagree_are_refused()
    {
        using var scope = NewDisposeScope();
        Assert.That(
            () => new InMemoryRows(zeros(2, 3), zeros(2, int64), Toy.Ids(2), InputShape.Vector(4)),
            Throws.ArgumentException.With.Message.StartsWith("Features must be 2 rows of vector of 4; were [2, 3]."));
        Assert.That(
            () => new InMemoryRows(zeros(2, 3), zeros(3, int64), Toy.Ids(2), InputShape.Vector(3)),
            Throws.ArgumentException.With.Message.StartsWith("Labels must be 2 64-bit integers; were [3] Int64."));
        Assert.That(
            () => new InMemoryRows(zeros(2, 3), zeros(2, int64), Toy.Ids(2), InputShape.Vector(3), zeros(2, float64)),
            Throws.ArgumentException.With.Message.StartsWith("Weights must be 2 32-bit floats; were [2] Float64."));
        Assert.That(
            () => new InMemoryRows(zeros(2, 3, dtype: float64), zeros(2, int64), Toy.Ids(2), InputShape.Vector(3)),
            Throws.ArgumentException.With.Message.StartsWith("Features must be unsigned bytes or 32-bit floats; were Float64."));
    }

    [Test]
    public void The_shape_of_labels_and_weights_that_are_no_vectors_is_told()
    {
        using var scope = NewDisposeScope();
        Assert.That(
            () => new InMemoryRows(zeros(2, 3), zeros(2, 4, int64), Toy.Ids(2), InputShape.Vector(3)),
            Throws.ArgumentException.With.Message.StartsWith("Labels must be 2 64-bit integers; were [2, 4] Int64."));
        Assert.That(
            () => new InMemoryRows(zeros(2, 3), zeros(2, int64), Toy.Ids(2), InputShape.Vector(3), zeros(2, 4)),
            Throws.ArgumentException.With.Message.StartsWith("Weights must be 2 32-bit floats; were [2, 4] Float32."));
    }

    [Test]
    public void An_argument_that_is_null_is_named()
    {
        using var scope = NewDisposeScope();
        using var set = Toy.Clouds(4);
        using var other = new BlockRows(set);
        IRowSource rows = other;
        var (positions, elements) = (arange(2), arange(4).reshape(1, 4));
        Refused("features", () => new InMemoryRows(null!, zeros(2, int64), Toy.Ids(2), InputShape.Vector(3)));
        Refused("labels", () => new InMemoryRows(zeros(2, 3), null!, Toy.Ids(2), InputShape.Vector(3)));
        Refused("rowIds", () => new InMemoryRows(zeros(2, 3), zeros(2, int64), null!, InputShape.Vector(3)));
        Refused("device", () => set.MoveTo(null!));
        Refused("positions", () => set.Gather(null!, CPU));
        Refused("device", () => set.Gather(positions, null!));
        Refused("positions", () => set.GatherElements(null!, CPU));
        Refused("device", () => set.GatherElements(elements, null!));
        Refused("positions", () => rows.GatherElements(null!, CPU));
        Refused("device", () => rows.GatherElements(elements, null!));
        Refused("set", () => Batch.Gather(null!, positions));
        Refused("positions", () => Batch.Gather(other, null!));

        static void Refused(string name, Action call) => Assert.That(Assert.Throws<ArgumentNullException>(call)!.ParamName, Is.EqualTo(name));
    }
}

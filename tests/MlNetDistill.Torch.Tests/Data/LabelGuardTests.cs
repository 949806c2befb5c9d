using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class LabelGuardTests
{
    [Test]
    public void It_finds_a_label_and_a_weight_that_was_written_or_moved()
    {
        using var scope = NewDisposeScope();
        using var rows = Rows();
        Assert.That(() => new LabelGuard(rows).Check("Nobody"), Throws.Nothing);

        var guard = new LabelGuard(rows);
        rows.Weights![3].fill_(2);
        Assert.That(
            () => guard.Check("The sampler X"),
            Throws.InvalidOperationException.With.Message.StartsWith("The sampler X wrote into the weights of the rows").And.Message.EndsWith(": Weights.clone()."));

        guard = new LabelGuard(rows);
        // The same labels in another order: a sum would not tell.
        rows.Labels.copy_(rows.Labels.flip(0));
        Assert.That(
            () => guard.Check("The sampler X"),
            Throws.InvalidOperationException.With.Message.StartsWith("The sampler X wrote into the labels of the rows").And.Message.EndsWith(": Labels.clone()."));

        guard = new LabelGuard(rows);
        rows.Weights.Dispose();
        Assert.That(() => guard.Check("The sampler X"), Throws.InvalidOperationException.With.Message.StartsWith("The sampler X disposed of the weights of the rows"));
    }

    private static InMemoryRows Rows() => new(zeros(6, 1), tensor(new long[] { 0, 1, 2, 0, 1, 1 }), Toy.Ids(6), InputShape.Vector(1), ones(6));
}

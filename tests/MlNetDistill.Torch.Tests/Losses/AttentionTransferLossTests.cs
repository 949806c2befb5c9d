using MlNetDistill.Losses;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class AttentionTransferLossTests
{
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    [Test]
    public void The_sizes_and_channels_of_the_maps_may_differ()
    {
        var student = Outputs.OfStages(LossProbe.Maps(3, 2, 4, 4, 1), LossProbe.Maps(3, 4, 2, 2, 2));
        var teacher = Outputs.OfStages(LossProbe.Maps(3, 5, 2, 2, 3), LossProbe.Maps(3, 3, 4, 4, 4));
        FiniteDifferences.Check(new AttentionTransferLoss((0, 0), (1, 1)), student, teacher);
    }

    [Test]
    public void The_scale_of_a_networks_features_does_not_matter()
    {
        var (student, teacher) = (LossProbe.Maps(3, 2, 4, 4, 5), LossProbe.Maps(3, 2, 4, 4, 6));
        Near.Value(
            AttentionTransferLoss.Compute(student.mul(10), teacher.mul(0.1)).item<double>(),
            AttentionTransferLoss.Compute(student, teacher).item<double>(),
            1e-12,
            0,
            "scaled");
    }

    [Test]
    public void An_attention_map_has_unit_length_and_one_value_for_each_pixel()
    {
        var map = AttentionTransferLoss.AttentionMap(LossProbe.Maps(3, 2, 4, 5, 7));
        Assert.That(map.shape, Is.EqualTo(new long[] { 3, 20 }));
        Assert.That(Near.Values(map.norm(1)), Is.All.EqualTo(1).Within(1e-14));
    }

    [Test]
    public void Vectors_are_refused()
    {
        using var generator = new Generator(1);
        Assert.That(
            () => new AttentionTransferLoss((0, 0)).CreateProjections(Shapes.OfStages([7]), Shapes.OfStages([7]), generator),
            Throws.InvalidOperationException.With.Message.EqualTo("The loss 'attentionTransfer' needs maps; the features have shape [7]."));
    }
}

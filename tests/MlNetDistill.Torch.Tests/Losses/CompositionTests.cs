using MlNetDistill.Losses;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class CompositionTests
{
    [Test]
    public void A_sum_keeps_its_terms_with_their_weights()
    {
        var loss = 2 * ((0.1 * new CrossEntropyLoss()) + (0.9 * new KdLoss(4)));
        Assert.That(loss.Terms.Select(t => (t.Loss.Name, t.Weight)), Is.EqualTo(new[] { ("crossEntropy", 0.2), ("kd", 1.8) }));
    }

    [Test]
    public void A_sum_needs_what_any_of_its_terms_needs()
    {
        Assert.That((new CrossEntropyLoss() + new CrossEntropyLoss()).TeacherNeeds, Is.EqualTo(ModelOutputs.None));
        Assert.That((new CrossEntropyLoss() + new KdLoss(1)).TeacherNeeds, Is.EqualTo(ModelOutputs.Logits));
        Assert.That((new CrossEntropyLoss() + new KdLoss(1)).StudentNeeds, Is.EqualTo(ModelOutputs.Logits));
        Assert.That((new CrossEntropyLoss() + new KdLoss(1)).CanUseWeights, Is.True);
    }

    [TestCase(double.NaN)]
    [TestCase(-1)]
    [TestCase(double.PositiveInfinity)]
    public void A_weight_out_of_range_is_refused(double weight) => Assert.That(
        () => weight * new KdLoss(4), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("The weight must be at least 0."));

    [Test]
    public void The_gradient_of_a_sum_agrees_with_finite_differences()
    {
        using var scope = NewDisposeScope();
        var loss = (0.3 * new CrossEntropyLoss()) + (0.5 * new KdLoss(1)) + (0.2 * new KdLoss(4));
        FiniteDifferences.Check(loss, LossProbe.Logits(4, 5, 1), LossProbe.Logits(4, 5, 2), LossProbe.Labels(1, -100, 4, 0), null, true);
    }

    [Test]
    public void Terms_of_one_temperature_share_their_log_probabilities()
    {
        using var scope = NewDisposeScope();
        var inputs = new LossInputs(
            NetworkOutput.FromLogits(LossProbe.Logits(2, 3, 1)), NetworkOutput.FromLogits(LossProbe.Logits(2, 3, 2)), LossProbe.Labels(0, 1));
        Assert.That(inputs.StudentLogProbabilities(4), Is.SameAs(inputs.StudentLogProbabilities(4)));
        Assert.That(inputs.TeacherLogProbabilities(4), Is.SameAs(inputs.TeacherLogProbabilities(4)));
        Assert.That(inputs.StudentLogProbabilities(1), Is.Not.SameAs(inputs.StudentLogProbabilities(4)));
    }
}

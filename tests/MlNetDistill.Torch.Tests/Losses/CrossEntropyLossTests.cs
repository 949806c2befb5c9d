using MlNetDistill.Losses;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class CrossEntropyLossTests
{
    private const long Missing = -100;
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    [Test]
    public void The_gradient_agrees_with_finite_differences() =>
        FiniteDifferences.Check(new CrossEntropyLoss(), LossProbe.Logits(4, 5, 1), null, LossProbe.CyclicLabels(4, 5));

    [Test]
    public void The_gradient_agrees_with_finite_differences_under_weights_and_missing_labels() => FiniteDifferences.Check(
        new CrossEntropyLoss(), LossProbe.Logits(4, 5, 1), null, LossProbe.Labels(1, Missing, 4, 0), tensor(new[] { 0.5f, 1, 2, 0 }), true);

    [Test]
    public void The_loss_is_the_mean_of_minus_log_probability_of_the_labels()
    {
        var logits = tensor(new[,] { { Math.Log(0.7), Math.Log(0.2), Math.Log(0.1) }, { Math.Log(0.1), Math.Log(0.1), Math.Log(0.8) } });
        Near.Value(CrossEntropy(logits, 1, 2).Value, -(Math.Log(0.2) + Math.Log(0.8)) / 2, 1e-14, 0, "loss");
    }

    [Test]
    public void Rows_without_a_label_contribute_nothing()
    {
        var logits = LossProbe.Logits(4, 3, 2);
        var masked = LossProbe.Evaluate(new CrossEntropyLoss(), logits, null, LossProbe.Labels(Missing, 2, Missing, 0), null, true);
        var kept = CrossEntropy(logits.index_select(0, tensor(new long[] { 1, 3 })), 2, 0);
        Near.Value(masked.Value, kept.Value, 1e-12, 0, "loss");
        Near.Array(masked.Gradient, [0, 0, 0, .. kept.Gradient[..3], 0, 0, 0, .. kept.Gradient[3..]], 1e-12, 0, "gradient");
    }

    [TestCase(false)]
    [TestCase(true)]
    public void A_batch_without_any_label_has_no_loss_and_no_gradient(bool weighted)
    {
        var weights = weighted ? tensor(new[] { 1f, 3f }) : null;
        var (value, gradient) = LossProbe.Evaluate(
            new CrossEntropyLoss(), LossProbe.Logits(2, 3, 3), null, LossProbe.Labels(Missing, Missing), weights, true);
        Assert.That(value, Is.Zero);
        Assert.That(gradient, Is.All.Zero);
    }

    [Test]
    public void A_row_of_weight_two_counts_as_two_equal_rows()
    {
        var logits = LossProbe.Logits(3, 4, 4);
        var weighted = LossProbe.Evaluate(new CrossEntropyLoss(), logits, null, LossProbe.Labels(0, 3, 2), tensor(new[] { 1f, 2f, 1f }));
        var repeated = CrossEntropy(logits.index_select(0, tensor(new long[] { 0, 1, 1, 2 })), 0, 3, 3, 2);
        Near.Value(weighted.Value, repeated.Value, 1e-12, 0, "loss");
    }

    [Test]
    public void Weights_of_one_change_nothing()
    {
        var logits = LossProbe.Logits(3, 4, 5);
        var weighted = LossProbe.Evaluate(new CrossEntropyLoss(), logits, null, LossProbe.Labels(0, 3, 2), ones(3));
        Near.Value(weighted.Value, CrossEntropy(logits, 0, 3, 2).Value, 1e-12, 0, "loss");
    }

    [Test]
    public void A_batch_whose_weights_are_all_zero_teaches_nothing()
    {
        var (value, gradient) = LossProbe.Evaluate(new CrossEntropyLoss(), LossProbe.Logits(2, 3, 6), null, LossProbe.Labels(0, 1), zeros(2));
        Assert.That(value, Is.Zero);
        Assert.That(gradient, Is.All.Zero);
    }

    [Test]
    public void Extreme_logits_stay_finite_in_single_precision()
    {
        var (value, gradient) = CrossEntropy(tensor(new[,] { { 80f, -80f } }), 1);
        Assert.That(value, Is.EqualTo(160).Within(1e-4));
        Assert.That(gradient, Is.EqualTo(new double[] { 1, -1 }).Within(1e-6));
    }

    private static (double Value, double[] Gradient) CrossEntropy(Tensor logits, params long[] labels) =>
        LossProbe.Evaluate(new CrossEntropyLoss(), logits, null, LossProbe.Labels(labels));
}

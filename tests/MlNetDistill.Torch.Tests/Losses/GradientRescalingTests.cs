using MlNetDistill.Core;
using MlNetDistill.Losses;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class GradientRescalingTests
{
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    [TestCase(1, 0.5)]
    [TestCase(4, 0.9)]
    public void It_is_the_ratio_of_the_two_gradients_at_the_label(double temperature, double alpha)
    {
        var (student, teacher, labels) = (LossProbe.Logits(6, 5, 1), LossProbe.Logits(6, 5, 2), LossProbe.CyclicLabels(6, 5));
        var both = LossProbe.Evaluate(((1 - alpha) * new CrossEntropyLoss()) + (alpha * new KdLoss(temperature)), student, teacher, labels).Gradient;
        var hard = LossProbe.Evaluate(new CrossEntropyLoss(), student, teacher, labels).Gradient;
        var rescaling = Near.Values(GradientRescaling.Compute(student, teacher.LogSoftmax(temperature), labels, temperature, alpha));
        for (var row = 0; row < 6; row++)
            Near.Value(rescaling[row], both[(row * 5) + (row % 5)] / hard[(row * 5) + (row % 5)], 1e-10, 0, $"row {row}");
    }

    [Test]
    public void The_true_class_alone_rescales_as_all_of_the_teachers_knowledge_does()
    {
        var (student, teacher, labels) = (LossProbe.Logits(6, 5, 3), LossProbe.Logits(6, 5, 4).LogSoftmax(2), LossProbe.CyclicLabels(6, 5));
        Near.Array(
            Near.Values(GradientRescaling.Compute(student, TeacherTargets.TrueClass().LogProbabilities(teacher, labels), labels, 2, 0.7)),
            Near.Values(GradientRescaling.Compute(student, teacher, labels, 2, 0.7)), 1e-12, 0, "rescaling");
    }

    [Test]
    public void Labels_alone_rescale_nothing_and_rows_without_a_gradient_have_none()
    {
        var student = tensor(new double[,] { { 1, 0 }, { 2000, 0 }, { 0, 1 } });
        var values = Near.Values(GradientRescaling.Compute(student, zeros_like(student).LogSoftmax(1), LossProbe.Labels(0, 0, -100), 1, 0));
        Assert.That(values, Is.EqualTo(new[] { 1, double.NaN, double.NaN }));
    }

    [Test]
    public void A_row_whose_label_has_next_to_no_gradient_has_none()
    {
        // The other class has the probability 1 / (1 + e^z), 2.06e-6 and 7.6e-7.
        var values = Near.Values(GradientRescaling.Compute(tensor(new double[,] { { 13.09, 0 }, { 14.09, 0 } }), zeros(2, 2, float64).LogSoftmax(1), LossProbe.Labels(0, 0), 1, 0.5));
        Assert.That(values[0], Is.LessThan(-1e5).And.GreaterThan(-1e6));
        Assert.That(values[1], Is.NaN);
    }

    [Test]
    public void An_alpha_that_is_no_share_is_refused() => Assert.That(
        () => GradientRescaling.Compute(zeros(1, 2), zeros(1, 2), LossProbe.Labels(0), 1, 1.5),
        Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith("The alpha must be in [0, 1]. It was 1.5."));
}

using MlNetDistill.Losses;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class DkdLossTests
{
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    /// <summary>KD = TCKD + (1 - p_t[y]) · NCKD for every row: the identity that the paper decouples.</summary>
    [TestCase(1)]
    [TestCase(4)]
    public void Weighing_the_non_target_part_by_the_rest_of_the_teachers_probability_gives_KD(double temperature)
    {
        var (student, teacher) = (LossProbe.Logits(1, 6, 1), LossProbe.Logits(1, 6, 2));
        var rest = 1 - teacher.div(temperature).softmax(1)[0, 3].item<double>();
        var dkd = LossProbe.Evaluate(new DkdLoss(temperature, 1, rest), student, teacher, LossProbe.Labels(3));
        var kd = LossProbe.Evaluate(new KdLoss(temperature), student, teacher, LossProbe.Labels(3));
        Near.Value(dkd.Value, kd.Value, 1e-12, 0, "loss");
        Near.Array(dkd.Gradient, kd.Gradient, 1e-12, 0, "gradient");
    }

    [Test]
    public void With_two_classes_the_non_target_part_is_zero_and_the_loss_says_so()
    {
        var (student, teacher) = (LossProbe.Logits(6, 2, 3), LossProbe.Logits(6, 2, 4));
        var (value, gradient) = LossProbe.Evaluate(new DkdLoss(4, 0, 8), student, teacher, LossProbe.CyclicLabels(6, 2));
        Assert.That(value, Is.Zero.Within(1e-14));
        Assert.That(gradient, Is.All.EqualTo(0).Within(1e-14));
        var target = LossProbe.Evaluate(new DkdLoss(4, 1, 8), student, teacher, LossProbe.CyclicLabels(6, 2));
        var kd = LossProbe.Evaluate(new KdLoss(4), student, teacher, LossProbe.CyclicLabels(6, 2));
        Near.Value(target.Value, kd.Value, 1e-12, 0, "the target part is KD");
        Assert.That(new DkdLoss(4).Warnings(2), Has.One.Contains("two classes"));
        Assert.That(new DkdLoss(4).Warnings(3), Is.Empty);
    }

    [Test]
    public void The_gradient_agrees_with_finite_differences_under_weights_and_missing_labels() => FiniteDifferences.Check(
        new DkdLoss(2),
        LossProbe.Logits(4, 5, 5),
        LossProbe.Logits(4, 5, 6),
        LossProbe.Labels(1, -100, 4, 0),
        tensor(new[] { 0.5f, 1, 2, 0 }),
        mayMissLabels: true);

    [Test]
    public void A_batch_without_any_label_teaches_nothing()
    {
        var (value, gradient) = LossProbe.Evaluate(
            new DkdLoss(4), LossProbe.Logits(2, 3, 7), LossProbe.Logits(2, 3, 8), LossProbe.Labels(-100, -100), null, mayMissLabels: true);
        Assert.That(value, Is.Zero);
        Assert.That(gradient, Is.All.Zero);
    }

    /// <summary>A teacher sure of the label, a student sure of another: the reference is NaN here in single precision.</summary>
    [Test]
    public void Certainty_stays_finite_in_single_precision()
    {
        var teacher = tensor(new[,] { { 80f, -80f, -80f }, { -80f, 80f, 79f } });
        var student = tensor(new[,] { { -80f, 80f, -80f }, { 80f, -80f, -79f } });
        var (value, gradient) = LossProbe.Evaluate(new DkdLoss(1, 1, 0.5), student, teacher, LossProbe.Labels(0, 0));
        var inDouble = LossProbe.Evaluate(new DkdLoss(1, 1, 0.5), student.to(float64), teacher.to(float64), LossProbe.Labels(0, 0));
        Near.Value(value, inDouble.Value, 1e-5, 0, "loss");
        Near.Array(gradient, inDouble.Gradient, 1e-4, 1e-7, "gradient");
    }

    [Test]
    public void One_class_is_refused() => Assert.That(
        () => DkdLoss.Compute(zeros(3, 1), zeros(3, 1), LossProbe.Labels(0, 0, 0), 4),
        Throws.InvalidOperationException.With.Message.EqualTo("DKD needs at least two classes: it compares the labelled class with the others."));

    [Test]
    public void Warming_up_scales_the_weight_by_the_epoch()
    {
        var term = new DkdLoss(4).WithWarmup(20).Terms.Single();
        Assert.That(new[] { 1, 10, 20, 21 }.Select(term.WeightIn), Is.EqualTo(new[] { 0.05, 0.5, 1, 1 }).Within(1e-15));
    }

    [TestCase(0, 1, 8, "The temperature must be above 0.")]
    [TestCase(4, -1, 8, "The weight must be at least 0.")]
    [TestCase(4, 1, double.NaN, "The weight must be at least 0.")]
    [TestCase(4, 0, 0, "One of the two weights must be above 0.")]
    public void Arguments_out_of_range_are_refused(double temperature, double target, double nonTarget, string message) => Assert.That(
        () => new DkdLoss(temperature, target, nonTarget), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith(message));
}

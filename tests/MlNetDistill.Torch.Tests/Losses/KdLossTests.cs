using MlNetDistill.Losses;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class KdLossTests
{
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    [TestCase(0.5)]
    [TestCase(1)]
    [TestCase(4)]
    public void The_gradient_agrees_with_finite_differences(double temperature) =>
        FiniteDifferences.Check(new KdLoss(temperature), LossProbe.Logits(4, 5, 1), LossProbe.Logits(4, 5, 2), LossProbe.CyclicLabels(4, 5));

    [TestCase(1)]
    [TestCase(4)]
    public void The_gradient_is_T_times_the_difference_of_probabilities_over_B(double temperature)
    {
        var (student, teacher) = (LossProbe.Logits(6, 7, 3), LossProbe.Logits(6, 7, 4));
        var (_, gradient) = Kd(temperature, student, teacher);
        var expected = student.div(temperature).softmax(1).sub(teacher.div(temperature).softmax(1)).mul(temperature / 6);
        Near.Array(gradient, Near.Values(expected), 1e-12, 1e-16, "gradient");
    }

    [Test]
    public void A_student_equal_to_its_teacher_has_no_loss_and_no_gradient()
    {
        var logits = LossProbe.Logits(6, 7, 5);
        var (value, gradient) = Kd(4, logits, logits.clone());
        Assert.That(value, Is.Zero.Within(1e-14));
        Assert.That(gradient, Is.All.EqualTo(0).Within(1e-15));
    }

    [Test]
    public void The_loss_is_positive_for_any_two_different_networks()
    {
        for (var seed = 0UL; seed < 30; seed++)
            Assert.That(Kd(2, LossProbe.Logits(3, 4, seed), LossProbe.Logits(3, 4, seed + 1000)).Value, Is.GreaterThan(0));
    }

    [Test]
    public void A_shift_of_all_logits_of_a_row_changes_nothing()
    {
        var (student, teacher) = (LossProbe.Logits(4, 5, 6), LossProbe.Logits(4, 5, 7));
        var shift = tensor(new[] { -3.0, 0.5, 10, 40 }).unsqueeze(1);
        Near.Value(Kd(3, student.add(shift), teacher.sub(shift)).Value, Kd(3, student, teacher).Value, 1e-12, 0, "shifted");
    }

    [Test]
    public void Permuting_rows_or_classes_alike_changes_nothing()
    {
        var (student, teacher) = (LossProbe.Logits(5, 6, 8), LossProbe.Logits(5, 6, 9));
        var rows = tensor(new long[] { 3, 0, 4, 1, 2 });
        var classes = tensor(new long[] { 5, 2, 0, 1, 4, 3 });
        var plain = Kd(4, student, teacher).Value;
        Near.Value(Kd(4, student.index_select(0, rows), teacher.index_select(0, rows)).Value, plain, 1e-13, 0, "rows permuted");
        Near.Value(Kd(4, student.index_select(1, classes), teacher.index_select(1, classes)).Value, plain, 1e-13, 0, "classes permuted");
    }

    [Test]
    public void The_direction_is_from_teacher_to_student()
    {
        // p_t = (0.9, 0.1), p_s = (0.5, 0.5): KL(t‖s) = 0.9 ln 1.8 + 0.1 ln 0.2; the other way round it would be 0.5 ln(25/9).
        var teacher = tensor(new[,] { { Math.Log(0.9), Math.Log(0.1) } });
        Near.Value(Kd(1, zeros(1, 2, float64), teacher).Value, (0.9 * Math.Log(1.8)) + (0.1 * Math.Log(0.2)), 1e-13, 0, "KL");
    }

    [Test]
    public void At_high_temperature_the_loss_becomes_the_squared_error_of_centred_logits()
    {
        // Hinton et al. 2015, §2.1: T²·KL → Σ_c (z_s - z_t)² / 2C for logits with zero mean.
        var (student, teacher) = (LossProbe.Logits(4, 10, 10), LossProbe.Logits(4, 10, 11));
        var difference = student.sub(student.mean([1], true)).sub(teacher.sub(teacher.mean([1], true)));
        var limit = difference.square().sum().item<double>() / (2 * 10 * 4);
        Near.Value(Kd(1e4, student, teacher).Value, limit, 1e-3, 0, "limit");
    }

    [TestCase(1, 2)]
    [TestCase(1, 10)]
    [TestCase(8, 2)]
    public void Extreme_logits_stay_finite_in_single_precision(int rows, int classes)
    {
        var sign = LossProbe.Logits(rows, classes, 12, type: ScalarType.Float32).sign();
        var (value, gradient) = Kd(1, sign.mul(80), sign.mul(-80));
        Assert.That(value, Is.GreaterThanOrEqualTo(0).And.LessThanOrEqualTo(161));
        Assert.That(gradient, Has.All.Matches<double>(g => Math.Abs(g) <= 1.0001 / rows));
    }

    [Test]
    public void A_row_of_weight_two_counts_as_two_equal_rows()
    {
        var (student, teacher) = (LossProbe.Logits(3, 4, 13), LossProbe.Logits(3, 4, 14));
        var doubled = tensor(new long[] { 0, 1, 1, 2 });
        var weighted = LossProbe.Evaluate(new KdLoss(4), student, teacher, LossProbe.Labels(0, 1, 2), tensor(new[] { 1f, 2f, 1f }));
        var repeated = Kd(4, student.index_select(0, doubled), teacher.index_select(0, doubled));
        Near.Value(weighted.Value, repeated.Value, 1e-12, 0, "loss");
        var expected = repeated.Gradient.Chunk(4).ToArray();
        double[] merged = [.. expected[0], .. expected[1].Zip(expected[2], (a, b) => a + b), .. expected[3]];
        Near.Array(weighted.Gradient, merged, 1e-12, 0, "gradient");
    }

    [Test]
    public void A_batch_whose_weights_are_all_zero_teaches_nothing()
    {
        var (value, gradient) = LossProbe.Evaluate(
            new KdLoss(4), LossProbe.Logits(2, 3, 15), LossProbe.Logits(2, 3, 16), LossProbe.Labels(0, 1), zeros(2));
        Assert.That(value, Is.Zero);
        Assert.That(gradient, Is.All.Zero);
    }

    [Test]
    public void Rows_without_a_label_learn_from_the_teacher_all_the_same()
    {
        var (student, teacher) = (LossProbe.Logits(3, 4, 17), LossProbe.Logits(3, 4, 18));
        var labels = LossProbe.Labels(0, -100, -100);
        var masked = LossProbe.Evaluate(new KdLoss(4), student, teacher, labels, null, mayMissLabels: true);
        Assert.That(masked.Value, Is.EqualTo(Kd(4, student, teacher).Value));
        Assert.That(masked.Gradient, Has.All.Not.Zero);
    }

    [Test]
    public void Divergence_is_the_equation_that_the_term_evaluates()
    {
        var (student, teacher) = (LossProbe.Logits(4, 5, 19), LossProbe.Logits(4, 5, 20));
        Near.Value(KdLoss.Compute(student, teacher, 3).item<double>(), Kd(3, student, teacher).Value, 1e-13, 0, "divergence");
    }

    [TestCase(0)]
    [TestCase(-1)]
    [TestCase(double.NaN)]
    [TestCase(double.PositiveInfinity)]
    public void A_temperature_that_is_not_above_zero_is_refused(double temperature) => Assert.That(
        () => new KdLoss(temperature), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith("The temperature must be above 0."));

    [Test]
    public void KD_without_a_teacher_says_so() => Assert.That(
        () => LossProbe.Evaluate(new KdLoss(4), LossProbe.Logits(2, 3, 21), null, LossProbe.Labels(0, 1)),
        Throws.InvalidOperationException.With.Message.EqualTo("This loss needs a teacher, and the stage has none."));

    private static (double Value, double[] Gradient) Kd(double temperature, Tensor student, Tensor teacher) =>
        LossProbe.Evaluate(new KdLoss(temperature), student, teacher, zeros(student.shape[0], int64));
}

using MlNetDistill.Losses;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class DistLossTests
{
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    /// <summary>One positive affine map of all the teacher's probabilities; they stay probabilities.</summary>
    [TestCase(0.5)]
    [TestCase(0.9)]
    public void A_positive_affine_map_of_the_teachers_probabilities_changes_nothing(double slope)
    {
        var (student, teacher) = (LossProbe.Logits(6, 5, 1), LossProbe.Logits(6, 5, 2));
        var mapped = teacher.softmax(1).mul(slope).add((1 - slope) / 5).log();
        Near.Value(Dist(new DistLoss(1), student, mapped).Value, Dist(new DistLoss(1), student, teacher).Value, 1e-6, 0, "mapped");
    }

    [Test]
    public void The_inter_class_relation_allows_another_affine_map_for_each_row()
    {
        var (student, teacher) = (LossProbe.Logits(4, 5, 3), LossProbe.Logits(4, 5, 4));
        var slopes = tensor(new[] { 0.2, 0.5, 0.8, 1 }).unsqueeze(1);
        var mapped = teacher.softmax(1).mul(slopes).add(slopes.neg().add(1).div(5)).log();
        Near.Value(Dist(new DistLoss(1, 1, 0), student, mapped).Value, Dist(new DistLoss(1, 1, 0), student, teacher).Value, 1e-6, 0, "inter");
        Assert.That(
            Dist(new DistLoss(1, 0, 1), student, mapped).Value,
            Is.Not.EqualTo(Dist(new DistLoss(1, 0, 1), student, teacher).Value).Within(0.1).Percent,
            "intra, which compares rows");
    }

    [Test]
    public void A_shift_of_all_logits_of_a_row_changes_nothing()
    {
        var (student, teacher) = (LossProbe.Logits(4, 5, 5), LossProbe.Logits(4, 5, 6));
        var shift = tensor(new[] { -3.0, 0.5, 10, 40 }).unsqueeze(1);
        Near.Value(
            Dist(new DistLoss(4), student.add(shift), teacher.sub(shift)).Value, Dist(new DistLoss(4), student, teacher).Value, 1e-10, 0, "shifted");
    }

    [Test]
    public void Permuting_the_classes_of_both_alike_changes_nothing()
    {
        var (student, teacher) = (LossProbe.Logits(5, 6, 7), LossProbe.Logits(5, 6, 8));
        var order = tensor(new long[] { 5, 2, 0, 1, 4, 3 });
        Near.Value(
            Dist(new DistLoss(4), student.index_select(1, order), teacher.index_select(1, order)).Value,
            Dist(new DistLoss(4), student, teacher).Value,
            1e-12,
            0,
            "permuted");
    }

    [Test]
    public void An_opposite_teacher_costs_two_for_each_relation()
    {
        // With two classes the probabilities of -z are those of z exchanged, so every correlation is -1.
        var student = LossProbe.Logits(6, 2, 9);
        Near.Value(Dist(new DistLoss(1), student, student.neg()).Value, 4, 1e-6, 0, "inter + intra");
        Near.Value(Dist(new DistLoss(3, 0.5, 2), student, student.neg()).Value, 9 * (0.5 + 2) * 2, 1e-6, 0, "weighted, times τ²");
    }

    [Test]
    public void At_high_temperature_probabilities_correlate_as_centred_logits()
    {
        // p ≈ (1 + (z - mean of z) / τ) / K, and ρ forgets the slope; the 1e-8 beside the norms limits how high τ may go.
        var (student, teacher) = (LossProbe.Logits(6, 5, 10), LossProbe.Logits(6, 5, 11));
        var (s, t) = (student.sub(student.mean([1], true)), teacher.sub(teacher.mean([1], true)));
        var limit = 2 - Pearson(s, t, 1).mean().item<double>() - Pearson(s, t, 0).mean().item<double>();
        Near.Value(Dist(new DistLoss(200), student, teacher).Value / (200 * 200), limit, 2e-2, 0, "limit");
    }

    [Test]
    public void A_single_row_has_a_constant_intra_class_relation()
    {
        var (value, gradient) = Dist(new DistLoss(3, 0, 1.5), LossProbe.Logits(1, 5, 12), LossProbe.Logits(1, 5, 13));
        Near.Value(value, 1.5 * 9, 1e-12, 0, "γ τ²");
        Assert.That(gradient, Is.All.Zero);
    }

    [Test]
    public void With_two_classes_only_the_intra_class_relation_teaches_and_the_loss_says_so()
    {
        var (student, teacher) = (LossProbe.Logits(8, 2, 14), LossProbe.Logits(8, 2, 15));
        Assert.That(Dist(new DistLoss(1, 1, 0), student, teacher).Gradient, Is.All.EqualTo(0).Within(1e-6));
        Assert.That(Dist(new DistLoss(1, 0, 1), student, teacher).Gradient, Has.Some.GreaterThan(1e-3));
        Assert.That(new DistLoss(1).Warnings(2).Single(), Does.Contain("two classes").And.Contains("only from the intra-class relation"));
        Assert.That(new DistLoss(1).Warnings(3), Is.Empty);
    }

    /// <summary>A student whose last layer starts at zero: the official gradient reaches 1e6 in its first step.</summary>
    [TestCase(ScalarType.Float32)]
    [TestCase(ScalarType.Float64)]
    public void A_student_that_starts_at_zero_gets_no_gradient_instead_of_a_million(ScalarType type)
    {
        var (value, gradient) = Dist(new DistLoss(4), zeros(64, 100, type), LossProbe.Logits(64, 100, 16, type: type));
        Assert.That(value, Is.EqualTo(32).Within(1e-3));
        Assert.That(gradient, Is.All.Zero);
    }

    [Test]
    public void Rows_that_hardly_vary_contribute_a_constant_and_the_others_teach()
    {
        var (student, teacher) = (LossProbe.Logits(4, 5, 17), LossProbe.Logits(4, 5, 18));
        student[1] = student[1].mul(1e-6);
        var gradient = Dist(new DistLoss(1, 1, 0), student, teacher).Gradient.Chunk(5).ToArray();
        Assert.That(gradient[1], Is.All.Zero);
        Assert.That(gradient[0], Has.Some.GreaterThan(1e-4));
        student[1] = student[1].mul(1e3);
        Assert.That(Dist(new DistLoss(1, 1, 0), student, teacher).Gradient.Chunk(5).ToArray()[1], Has.All.Not.Zero, "a thousandth is variation enough");
    }

    [Test]
    public void Relation_mismatch_is_the_equation_that_the_term_evaluates()
    {
        var (student, teacher) = (LossProbe.Logits(4, 5, 19), LossProbe.Logits(4, 5, 20));
        Near.Value(
            DistLoss.Compute(student, teacher, 3, 0.5, 2).item<double>(), Dist(new DistLoss(3, 0.5, 2), student, teacher).Value, 1e-13, 0, "equation");
    }

    [TestCase(0, 1, 1, "The temperature must be above 0.")]
    [TestCase(double.NaN, 1, 1, "The temperature must be above 0.")]
    [TestCase(1, -1, 1, "The weight must be at least 0.")]
    [TestCase(1, 1, double.PositiveInfinity, "The weight must be at least 0.")]
    [TestCase(1, 0, 0, "One of the two weights must be above 0.")]
    public void Arguments_out_of_range_are_refused(double temperature, double inter, double intra, string message) => Assert.That(
        () => new DistLoss(temperature, inter, intra), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith(message));

    private static Tensor Pearson(Tensor a, Tensor b, int axis)
    {
        var (x, y) = (a.sub(a.mean([axis], true)), b.sub(b.mean([axis], true)));
        return x.mul(y).sum(axis).div(x.square().sum(axis).mul(y.square().sum(axis)).sqrt());
    }

    private static (double Value, double[] Gradient) Dist(DistLoss loss, Tensor student, Tensor teacher) =>
        LossProbe.Evaluate(loss, student, teacher, zeros(student.shape[0], int64));
}

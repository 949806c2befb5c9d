using MlNetDistill.Losses;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class RkdLossTests
{
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    [TestCase(false)]
    [TestCase(true)]
    public void The_gradient_agrees_with_finite_differences_for_features_of_different_widths(bool squared) => FiniteDifferences.Check(
        new RkdLoss(25, 50, ModelOutputs.Embedding, squared), Outputs.OfEmbedding(LossProbe.Logits(5, 3, 1)), Outputs.OfEmbedding(LossProbe.Logits(5, 7, 2)));

    [Test]
    public void A_student_that_is_its_teacher_scaled_moved_and_turned_has_no_loss()
    {
        var teacher = LossProbe.Logits(6, 2, 3);
        var rotation = tensor(new[,] { { Math.Cos(1), -Math.Sin(1) }, { Math.Sin(1), Math.Cos(1) } });
        var student = teacher.mm(rotation).mul(3).add(7);
        Assert.That(RkdLoss.Compute(student, teacher).item<double>(), Is.Zero.Within(1e-20));
    }

    [Test]
    public void The_distance_part_is_the_smooth_error_of_distances_over_their_mean()
    {
        // Three points on a line: distances 1, 2, 3 of mean 2, and 1, 1, 2 of mean 4/3; every difference is below 1, so ℓ is half its square.
        var student = tensor(new[,] { { 0.0 }, { 1 }, { 3 } });
        var teacher = tensor(new[,] { { 0.0 }, { 1 }, { 2 } });
        double[] differences = [(1 / 2.0) - (3 / 4.0), (3 / 2.0) - (3 / 2.0), (2 / 2.0) - (3 / 4.0)];
        Near.Value(RkdLoss.Compute(student, teacher, 1, 0).item<double>(), 2 * differences.Sum(d => d * d / 2) / 9, 1e-12, 0, "loss");
    }

    /// <summary>Equal rows: the reference divides the gradient of their angles by 1e-12.</summary>
    [TestCase(ScalarType.Float32)]
    [TestCase(ScalarType.Float64)]
    public void Equal_rows_get_the_gradient_of_ordinary_ones(ScalarType type)
    {
        var (student, teacher) = (LossProbe.Logits(6, 4, 4, type: type), LossProbe.Logits(6, 4, 5, type: type));
        var ordinary = LossProbe.OnEmbeddings(new RkdLoss(), student, teacher).Gradient.Max(Math.Abs);
        student[3] = student[1];
        var (value, gradient) = LossProbe.OnEmbeddings(new RkdLoss(), student, teacher);
        Assert.That(value, Is.Positive.And.LessThan(100));
        Assert.That(gradient.Max(Math.Abs), Is.LessThan(10 * ordinary));
    }

    [Test]
    public void Two_rows_have_no_relation_to_learn() => Assert.That(
        RkdLoss.Compute(LossProbe.Logits(2, 4, 6), LossProbe.Logits(2, 4, 7)).item<double>(), Is.Zero.Within(1e-20));

    [TestCase(-1, 50, "The weight must be at least 0.")]
    [TestCase(25, double.NaN, "The weight must be at least 0.")]
    [TestCase(0, 0, "One of the two weights must be above 0.")]
    public void Arguments_out_of_range_are_refused(double distance, double angle, string message) => Assert.That(
        () => new RkdLoss(distance, angle), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith(message));

    // Rows of one class may nearly coincide; a program of inner products in single precision then sees noise and amplifies it.
    [TestCase(1e-2)]
    [TestCase(1e-3)]
    [TestCase(1e-4)]
    [TestCase(1e-5)]
    public void Angles_between_rows_that_nearly_coincide_are_as_in_double_precision(double distance)
    {
        using var scope = NewDisposeScope();
        // More than 25 rows: from there on distances may come from inner products.
        var centres = LossProbe.Logits(16, 16, 1);
        var student = cat([centres, centres.add(LossProbe.Logits(16, 16, 2).mul(distance / 4))]).to(ScalarType.Float32);
        var teacher = LossProbe.Logits(32, 16, 3).to(ScalarType.Float32);
        (double Value, double[] Gradient) At(ScalarType type)
        {
            var leaf = student.to(type).detach().clone().requires_grad_(true);
            var loss = RkdLoss.Compute(leaf, teacher.to(type), distanceWeight: 0, angleWeight: 50);
            loss.backward();
            return (loss.to(ScalarType.Float64).item<double>(), Near.Values(leaf.grad!));
        }

        var (value, gradient) = At(ScalarType.Float32);
        var (expected, expectedGradient) = At(ScalarType.Float64);
        Near.Value(value, expected, 1e-4, 0, "loss");
        Near.Array(gradient, expectedGradient, 1e-3, 0, "gradient");
    }
}

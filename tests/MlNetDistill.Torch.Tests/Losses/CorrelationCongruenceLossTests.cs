using MlNetDistill.Losses;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class CorrelationCongruenceLossTests
{
    private static readonly Dictionary<string, CorrelationKernel> Kernels = new()
    {
        ["mmd"] = CorrelationKernel.Mmd,
        ["bilinear"] = CorrelationKernel.Bilinear,
        ["taylor 1"] = CorrelationKernel.GaussianTaylor(1),
        ["taylor 3"] = CorrelationKernel.GaussianTaylor(3, 0.7),
        ["gaussian"] = CorrelationKernel.Gaussian(),
    };

    private IDisposable _scope = null!;

    public static IEnumerable<string> All => Kernels.Keys;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    [TestCaseSource(nameof(All))]
    public void The_gradient_agrees_with_finite_differences_for_features_of_different_widths(string kernel)
    {
        var (student, teacher) = (LossProbe.Logits(5, 3, 1, scale: 0.7), LossProbe.Logits(5, 7, 2, scale: 0.7));
        foreach (var normalize in new[] { true, false })
            FiniteDifferences.Check(
                new CorrelationCongruenceLoss(Kernels[kernel], normalize: normalize), Outputs.OfEmbedding(student), Outputs.OfEmbedding(teacher));
    }

    [TestCaseSource(nameof(All))]
    public void Features_of_different_widths_need_no_projection(string kernel)
    {
        using var generator = new Generator(1);
        Assert.That(
            new CorrelationCongruenceLoss(Kernels[kernel]).CreateProjections(Shapes.OfEmbedding(3), Shapes.OfEmbedding(7), generator), Is.Empty);
    }

    [TestCaseSource(nameof(All))]
    public void Scaling_a_network_changes_nothing_where_features_are_normalised(string kernel)
    {
        var (student, teacher) = (LossProbe.Logits(5, 4, 3), LossProbe.Logits(5, 4, 4));
        Near.Value(Congruence(Kernels[kernel], student.mul(10), teacher.mul(0.1)), Congruence(Kernels[kernel], student, teacher), 1e-12, 0, "scaled");
        Assert.That(
            Congruence(Kernels[kernel], student.mul(1.2), teacher, normalize: false),
            Is.Not.EqualTo(Congruence(Kernels[kernel], student, teacher, normalize: false)).Within(0.1).Percent);
    }

    [TestCase("bilinear")]
    [TestCase("taylor 3")]
    [TestCase("gaussian")]
    public void A_rotation_of_a_networks_features_changes_nothing(string kernel)
    {
        var (student, teacher) = (LossProbe.Logits(6, 2, 5), LossProbe.Logits(6, 2, 6));
        var rotation = tensor(new[,] { { Math.Cos(1), -Math.Sin(1) }, { Math.Sin(1), Math.Cos(1) } });
        Near.Value(Congruence(Kernels[kernel], student, teacher.mm(rotation)), Congruence(Kernels[kernel], student, teacher), 1e-12, 0, "rotated");
    }

    [TestCaseSource(nameof(All))]
    public void A_correlation_matrix_is_symmetric(string kernel)
    {
        var matrix = CorrelationCongruenceLoss.CorrelationMatrix(LossProbe.Logits(5, 4, 7), Kernels[kernel]);
        Assert.That(matrix.shape, Is.EqualTo(new long[] { 5, 5 }));
        Near.Array(Near.Values(matrix.t()), Near.Values(matrix), 1e-14, 0, "transposed");
    }

    [Test]
    public void A_Taylor_series_of_high_order_is_the_Gaussian_of_unit_vectors()
    {
        var features = LossProbe.Logits(5, 4, 8);
        var exact = CorrelationCongruenceLoss.CorrelationMatrix(features, CorrelationKernel.Gaussian(0.4));
        Near.Array(
            Near.Values(CorrelationCongruenceLoss.CorrelationMatrix(features, CorrelationKernel.GaussianTaylor(20, 0.4))), Near.Values(exact), 1e-12, 0, "series");
        Near.Array(Near.Values(exact.diagonal()), [1, 1, 1, 1, 1], 1e-12, 0, "a row with itself");
    }

    [Test]
    public void A_row_of_zeros_correlates_with_nothing_and_gets_no_gradient()
    {
        var (student, teacher) = (LossProbe.Logits(4, 5, 9), LossProbe.Logits(4, 5, 10));
        student[2] = zeros(5, float64);
        var matrix = CorrelationCongruenceLoss.CorrelationMatrix(student, CorrelationKernel.Bilinear);
        Assert.That(Near.Values(matrix[2]), Is.All.Zero);
        var gradient = LossProbe.OnEmbeddings(new CorrelationCongruenceLoss(), student, teacher).Gradient.Chunk(5).ToArray();
        Assert.That(gradient[2], Is.All.Zero);
        Assert.That(gradient[0], Has.Some.Not.Zero);
    }

    /// <summary>The matrices become alike while the features, of another width, cannot.</summary>
    [Test]
    public void The_incongruence_falls_under_gradient_descent()
    {
        var (teacher, features) = (LossProbe.Logits(8, 5, 11), LossProbe.Logits(8, 9, 12));
        var before = Congruence(CorrelationKernel.GaussianTaylor(), features, teacher);
        for (var step = 0; step < 100; step++)
        {
            var gradient = LossProbe.OnEmbeddings(new CorrelationCongruenceLoss(), features, teacher).Gradient;
            features = features.sub(tensor(gradient).reshape(8, 9).mul(200));
        }

        Assert.That(Congruence(CorrelationKernel.GaussianTaylor(), features, teacher), Is.LessThan(before / 20));
    }

    [Test]
    public void The_loss_reads_what_it_is_put_on()
    {
        Assert.That(new CorrelationCongruenceLoss().TeacherNeeds, Is.EqualTo(ModelOutputs.Embedding));
        var onLogits = new CorrelationCongruenceLoss(on: ModelOutputs.Logits);
        Assert.That((onLogits.TeacherNeeds, onLogits.StudentNeeds), Is.EqualTo((ModelOutputs.Logits, ModelOutputs.Logits)));
    }

    [Test]
    public void Arguments_out_of_range_are_refused() => Assert.Multiple(() =>
    {
        Assert.That(() => new CorrelationCongruenceLoss(on: ModelOutputs.StageFeatures), Refused("The loss compares one vector per row"));
        Assert.That(() => new CorrelationCongruenceLoss(on: ModelOutputs.Embedding | ModelOutputs.Logits), Refused("The loss compares one vector"));
        Assert.That(() => CorrelationKernel.GaussianTaylor(0), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => CorrelationKernel.GaussianTaylor(2, 0), Refused("Gamma must be above 0."));
        Assert.That(() => CorrelationKernel.Gaussian(double.NaN), Refused("Gamma must be above 0."));
    });

    [Test]
    public void Features_that_cannot_be_compared_are_refused_before_native_code_sees_them() => Assert.Multiple(() =>
    {
        Assert.That(
            () => CorrelationCongruenceLoss.Compute(zeros(3, 2), zeros(4, 2), CorrelationKernel.Bilinear),
            Throws.ArgumentException.With.Message.StartsWith("The student has 3 rows, the teacher 4."));
        Assert.That(
            () => CorrelationCongruenceLoss.CorrelationMatrix(zeros(3, 2, 2), CorrelationKernel.Bilinear),
            Throws.ArgumentException.With.Message.StartsWith("The features must be rows×values; they are 3×2×2."));
    });

    private static NUnit.Framework.Constraints.IResolveConstraint Refused(string message) =>
        Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith(message);

    private static double Congruence(CorrelationKernel kernel, Tensor student, Tensor teacher, bool normalize = true) =>
        CorrelationCongruenceLoss.Compute(student, teacher, kernel, normalize).item<double>();
}

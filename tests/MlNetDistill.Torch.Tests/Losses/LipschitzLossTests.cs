using MlNetDistill.Core;
using MlNetDistill.Losses;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class LipschitzLossTests
{
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    [TestCase(1)]
    [TestCase(2)]
    public void One_iteration_is_the_product_with_a_vector_of_unit_length(int iterations)
    {
        // Any product with a multiple of an orthogonal matrix is that multiple: exact from the first iteration on.
        var orthogonal = linalg.qr(randn(2, 5, 5, float64)).Q.MultiplyBy(3);
        Near.Array(Near.Values(LipschitzLoss.LargestSingularValue(orthogonal, iterations)), [3, 3], 1e-12, 0, "orthogonal");
        // G Gᵀ = diag(16, 1), so from (1, 1) / √2 the first product is (16, 1) / √2, and from its direction the second (256, 1) / √257.
        var diagonal = tensor(new double[,] { { 4, 0, 0 }, { 0, 1, 0 } }).unsqueeze(0);
        var expected = iterations == 1 ? Math.Sqrt(257.0 / 2) : Math.Sqrt(65537.0 / 257);
        Near.Value(LipschitzLoss.LargestSingularValue(diagonal, iterations).item<double>(), Math.Sqrt(expected), 1e-12, 0, "diagonal");
    }

    [Test]
    public void The_singular_value_of_vectors_is_the_product_of_their_lengths()
    {
        var (first, second) = (LossProbe.Logits(3, 4, 1), LossProbe.Logits(3, 6, 2));
        var sigma = LipschitzLoss.LargestSingularValue(LipschitzLoss.TransmittingMatrix(first, second));
        Near.Array(Near.Values(sigma), Near.Values(first.norm(1, false, 2).mul(second.norm(1, false, 2))), 1e-12, 0, "sigma");
    }

    [Test]
    public void The_default_iterations_come_close_to_the_exact_singular_value()
    {
        var matrices = LossProbe.Logits(6 * 8, 12, 3).reshape(6, 8, 12);
        var exact = linalg.svdvals(matrices).select(1, 0);
        var found = LipschitzLoss.LargestSingularValue(matrices);
        Near.Array(Near.Values(found), Near.Values(exact), 0.02, 0, "sigma");
        Assert.That(Near.Values(found.sub(exact)), Is.All.LessThan(1e-12), "never above");
    }

    [Test]
    public void A_matrix_at_a_right_angle_to_the_start_counts_as_zero_and_is_finite()
    {
        var matrices = tensor(new[] { 1.0, 2, -1, -2 }).reshape(1, 2, 2).requires_grad_(true);
        var sigma = LipschitzLoss.LargestSingularValue(matrices);
        sigma.sum().backward();
        Assert.That(Near.Values(sigma), Is.All.Zero);
        Assert.That(Near.Values(matrices.grad!), Is.All.Zero);
    }

    [Test]
    public void The_value_grows_with_the_map_and_not_with_its_number_of_pixels()
    {
        var (first, second) = (LossProbe.Maps(2, 3, 4, 4, 1), LossProbe.Maps(2, 5, 4, 4, 2));
        double[] Sigma(Tensor a, Tensor b) => Near.Values(LipschitzLoss.LargestSingularValue(LipschitzLoss.TransmittingMatrix(a, b), 200));
        Near.Array(Sigma(first.mul(3), second.mul(2)), [.. Sigma(first, second).Select(s => 6 * s)], 1e-10, 0, "scaled");
        Near.Array(Sigma(cat([first, first], 3), cat([second, second], 3)), Sigma(first, second), 1e-10, 0, "twice the pixels");
    }

    [Test]
    public void Later_pairs_of_taps_count_more()
    {
        Tensor[] Taps(double last) => [ones(1, 1, float64), ones(1, 1, float64), full(1, 1, last, float64)];
        // σ: student 1 and 1, teacher 1 and 3, then 3 and 1 by another middle tap.
        Near.Value(LipschitzLoss.Compute(Taps(1), Taps(3)).item<double>(), 0.5 * 4, 1e-12, 0, "last pair");
        Tensor[] middle = [full(1, 1, 3.0, float64), ones(1, 1, float64), ones(1, 1, float64)];
        Near.Value(LipschitzLoss.Compute(Taps(1), middle).item<double>(), 0.25 * 4, 1e-12, 0, "first pair");
    }

    [Test]
    public void Between_vectors_no_iteration_is_needed()
    {
        Tensor[] student = [LossProbe.Logits(3, 4, 1), LossProbe.Logits(3, 6, 2)];
        Tensor[] teacher = [LossProbe.Logits(3, 4, 3), LossProbe.Logits(3, 6, 4)];
        Tensor Exact(Tensor[] taps) => linalg.svdvals(LipschitzLoss.TransmittingMatrix(taps[0], taps[1])).select(1, 0);
        var expected = Exact(student).sub(Exact(teacher)).square().mean().item<double>() / 2;
        Near.Value(LipschitzLoss.Compute(student, teacher, iterations: 1).item<double>(), expected, 1e-12, 0, "one iteration");
        // 1 - 1 and -1 + 1: the power iteration of the matrix would start at a right angle to it.
        Tensor[] opposite = [tensor(new[] { 1.0, -1 }).reshape(1, 2), ones(1, 2, float64)];
        Near.Value(LipschitzLoss.Compute(opposite, [zeros(1, 2, float64), zeros(1, 2, float64)]).item<double>(), 0.5 * 4, 1e-12, 0, "opposite values");
    }

    [Test]
    [Category("NoCulture")]
    public void A_relative_difference_does_not_depend_on_the_scale_of_the_features()
    {
        Tensor[] student = [LossProbe.Maps(4, 3, 4, 4, 1), LossProbe.Maps(4, 5, 2, 2, 2), LossProbe.Maps(4, 2, 2, 2, 5)];
        Tensor[] teacher = [LossProbe.Maps(4, 3, 4, 4, 3), LossProbe.Maps(4, 5, 2, 2, 4), LossProbe.Maps(4, 2, 2, 2, 6)];
        Tensor[] Scaled(Tensor[] taps, double factor) => [.. taps.Select(tap => tap.mul(factor))];
        double Value(Tensor[] ours, Tensor[] theirs, bool relative) =>
            LossProbe.OnStages(new LipschitzLoss([(0, 0), (1, 1), (2, 2)], 300, relative), ours, theirs, null, []).Value;
        var value = Value(student, teacher, relative: true);
        Near.Value(Value(Scaled(student, 30), Scaled(teacher, 30), relative: true), value, 1e-10, 0, "both 30 times as large");
        Near.Value(Value(Scaled(teacher, 2), teacher, relative: true), 0.75 * 9 / 17, 1e-10, 0, "σ is 4 times the teacher's: 3² / (4² + 1) for each of two pairs that count 1/2 and 1/4");
        Near.Value(Value(Scaled(student, 2), Scaled(teacher, 2), relative: false), 16 * Value(student, teacher, relative: false), 1e-9, 0, "as published");
        Near.Value(Value(student, Scaled(teacher, 0), relative: true), 0.75, 1e-10, 0, "a teacher of zeros");
        var (_, gradients) = LossProbe.OnStages(new LipschitzLoss([(0, 0), (1, 1), (2, 2)], 300, relative: true), student, Scaled(teacher, 0));
        Assert.That(gradients.SelectMany(of => of), Is.All.EqualTo(0).Within(1e-12), "it teaches nothing");
        FiniteDifferences.Check(new LipschitzLoss([(0, 0), (1, 1)], 300, relative: true), Outputs.OfStages(student[..2]), Outputs.OfStages(teacher[..2]));
    }

    [Test]
    public void Taps_of_other_widths_are_all_connected_before_they_are_paired()
    {
        Tensor[] student = [LossProbe.Maps(4, 2, 4, 4, 1), LossProbe.Maps(4, 3, 2, 2, 2)];
        Tensor[] teacher = [LossProbe.Maps(4, 5, 4, 4, 3), LossProbe.Maps(4, 6, 2, 2, 4)];
        using var generator = new Generator(1);
        var loss = new LipschitzLoss([(0, 0), (1, 1)], 300);
        var connectors = loss.CreateProjections(Shapes.FromFeatures(student), Shapes.FromFeatures(teacher), generator);
        Assert.That(connectors, Has.Count.EqualTo(2));
        foreach (var connector in connectors)
            connector.to(ScalarType.Float64);
        var value = LossProbe.OnStages(loss, student, teacher, null, [.. connectors]).Value;
        Tensor[] connected = [.. student.Zip(connectors, (tap, connector) => connector.call(tap))];
        Assert.That(connected.Select(t => t.shape[1]), Is.EqualTo(new long[] { 5, 6 }));
        Near.Value(value, LipschitzLoss.Compute(connected, teacher, 300).item<double>(), 1e-10, 0, "loss");
    }

    [Test]
    public void The_connectors_of_the_margin_loss_are_shared_where_told_to()
    {
        Tensor[] student = [LossProbe.Logits(4, 2, 1), LossProbe.Logits(4, 3, 2)];
        Tensor[] teacher = [LossProbe.Logits(4, 5, 3), LossProbe.Logits(4, 6, 4)];
        using var generator = new Generator(1);
        var margin = new MarginFeatureLoss([(0, 0), (1, 1)]);
        var loss = new LipschitzLoss(margin);
        var (ours, theirs) = (Shapes.FromFeatures(student), Shapes.FromFeatures(teacher));
        Assert.That(loss.CreateProjections(ours, theirs, generator), Is.Empty);
        var connectors = margin.CreateProjections(ours, theirs, generator);
        foreach (var connector in connectors)
            connector.to(ScalarType.Float64);
        FiniteDifferences.Check(loss + margin, Outputs.OfStages(student), Outputs.OfStages(teacher), projections: [.. connectors]);
    }

    [Test]
    public void Taps_that_cannot_be_paired_are_refused()
    {
        using var generator = new Generator(1);
        Assert.That(() => new LipschitzLoss([(0, 0)]), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("at least two pairs of taps"));
        Assert.That(() => new LipschitzLoss([(0, 0), (1, 1)], 0), Throws.InstanceOf<ArgumentOutOfRangeException>());
        var (shrinking, growing) = (Shapes.OfStages([4, 8, 8], [8, 4, 4]), Shapes.OfStages([4, 4, 4], [8, 8, 8]));
        Assert.That(
            () => new LipschitzLoss([(0, 0), (1, 1)]).CreateProjections(shrinking, growing, generator),
            Throws.InvalidOperationException.With.Message.Contains("pairs tap 0 of the teacher [4, 4, 4] with its tap 1 [8, 8, 8], which is larger"));
        Assert.That(
            () => new LipschitzLoss([(0, 0), (1, 1)]).CreateProjections(shrinking, Shapes.OfStages([4], [8]), generator),
            Throws.InvalidOperationException.With.Message.Contains("one is a map, the other a vector"));
        Assert.That(() => LipschitzLoss.TransmittingMatrix(ones(2, 3, 2, 2), ones(2, 3, 4, 4)), Throws.ArgumentException.With.Message.Contains("is larger than the first"));
        Assert.That(() => LipschitzLoss.Compute([ones(2, 3)], [ones(2, 3)]), Throws.ArgumentException.With.Message.Contains("at least two"));
    }
}

using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Losses of embeddings: mimic, cosine, and the margin heads.</summary>
public sealed class EmbeddingLossTests
{
    private static readonly AngularMarginLoss[] Heads = [new ArcFaceLoss(4, 8, 0.5), new CosFaceLoss(4, 8, 0.35)];
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    [Test]
    public void Mimic_is_two_minus_two_cosines_and_cosine_is_half_of_it()
    {
        var (student, teacher) = (LossProbe.Logits(5, 6, 1), LossProbe.Logits(5, 6, 2));
        var cosine = CosineLoss.Compute(student, teacher).item<double>();
        Near.Value(MimicLoss.Compute(student, teacher).item<double>(), 2 * cosine, 1e-12, 0, "mimic");
    }

    [TestCase(true)]
    [TestCase(false)]
    public void Embeddings_of_other_lengths_are_projected(bool cosine)
    {
        DistillationLoss loss = cosine ? new CosineLoss() : new MimicLoss();
        using var generator = new Generator(1);
        var projections = loss.CreateProjections(new OutputShapes(3, 5, []), new OutputShapes(3, 8, []), generator);
        var projection = projections.Single().to(float64);
        FiniteDifferences.CheckParameters(loss, Outputs.OfEmbedding(LossProbe.Logits(6, 5, 1)), Outputs.OfEmbedding(LossProbe.Logits(6, 8, 2)), projection);
        Assert.That(loss.CreateProjections(new OutputShapes(3, 8, []), new OutputShapes(3, 8, []), generator), Is.Empty);
    }

    [TestCaseSource(nameof(Heads))]
    public void The_gradient_of_a_head_agrees_with_finite_differences(AngularMarginLoss head)
    {
        using var generator = new Generator(3);
        var directions = head.CreateProjections(new OutputShapes(4, 6, []), new OutputShapes(4, 6, []), generator).Single().to(float64);
        var embeddings = Outputs.OfEmbedding(LossProbe.Logits(7, 6, 4));
        FiniteDifferences.Check(head, embeddings, null, LossProbe.Labels(0, 1, 2, 3, -100, 1, 0), tensor(new[] { 1f, 2, 0, 0.5f, 1, 1, 1 }), true, directions);
        FiniteDifferences.CheckParameters(head, embeddings, embeddings, directions);
    }

    [TestCaseSource(nameof(Heads))]
    public void A_head_takes_labels_and_no_teacher(AngularMarginLoss head)
    {
        Assert.That((head.TeacherNeeds, head.NeedsLabels, head.NeedsHardLabels, head.CanUseWeights), Is.EqualTo((ModelOutputs.None, true, true, true)));
        Assert.That(head.StudentNeeds, Is.EqualTo(ModelOutputs.Embedding));
    }

    [Test]
    public void A_row_opposite_to_its_class_loses_more_the_farther_it_is_and_is_pulled_back()
    {
        // The formula without a guard turns round where the angle and the margin exceed π.
        double Loss(double angle) => ArcFaceLoss.Compute(
            tensor(new[] { Math.Cos(angle), Math.Sin(angle), 0 }).reshape(1, 3), tensor(new double[] { 1, 0, 0, 0, 0, 1 }).reshape(2, 3), LossProbe.Labels(0), 4).item<double>();
        var losses = Enumerable.Range(0, 60).Select(i => Loss(Math.PI * (0.3 + (0.7 * i / 59)))).ToArray();
        Assert.That(losses, Is.Ordered);
        Assert.That(losses, Has.All.Matches<double>(double.IsFinite));
    }

    [Test]
    public void The_margin_makes_rows_of_a_class_pay_more()
    {
        var (embedding, head, labels) = (LossProbe.Logits(8, 6, 1), LossProbe.Logits(4, 6, 2), LossProbe.CyclicLabels(8, 4));
        double ArcFace(double margin) => ArcFaceLoss.Compute(embedding, head, labels, 16, margin).item<double>();
        double CosFace(double margin) => CosFaceLoss.Compute(embedding, head, labels, 16, margin).item<double>();
        Near.Value(ArcFace(0), CosFace(0), 1e-12, 0, "no margin");
        Assert.That(ArcFace(0.5), Is.GreaterThan(ArcFace(0)));
        Assert.That(CosFace(0.35), Is.GreaterThan(CosFace(0)));
    }

    [Test]
    public void Degenerate_batches_are_finite_in_single_precision()
    {
        var head = LossProbe.Logits(3, 4, 1, type: ScalarType.Float32);
        foreach (var embedding in new[] { zeros(2, 4), head.narrow(0, 0, 2), head.narrow(0, 0, 2).neg(), ones(1, 4), head.mul(1e20f), head.mul(1e-20f) })
        {
            var leaf = embedding.clone().detach().requires_grad_(true);
            var labels = LossProbe.CyclicLabels((int)leaf.shape[0], 3);
            var loss = ArcFaceLoss.Compute(leaf, head, labels).Add(CosFaceLoss.Compute(leaf, head, labels));
            loss.backward();
            Assert.That(loss.isfinite().item<bool>());
            Assert.That(Near.Values(leaf.grad!), Has.All.Matches<double>(double.IsFinite));
        }

        Assert.That(ArcFaceLoss.Compute(ones(2, 4), head, LossProbe.Labels(-100, -100)).item<float>(), Is.Zero);
    }

    [Test]
    public void Settings_out_of_range_and_unlike_shapes_are_refused() => Assert.Multiple(() =>
    {
        Assert.That(() => new ArcFaceLoss(1), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new ArcFaceLoss(2, 0), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.StartsWith("The scale of the cosines must be above 0. It was 0."));
        Assert.That(() => new ArcFaceLoss(2, 64, 1.6), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.StartsWith("The margin must be at least 0 and below 1.57."));
        Assert.That(() => new CosFaceLoss(2, 64, double.NaN), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(
            () => CosFaceLoss.Compute(ones(2, 4), ones(3, 5), LossProbe.Labels(0, 1)),
            Throws.ArgumentException.With.Message.StartsWith("The embeddings have 4 values, the directions of the classes 5."));
        Assert.That(() => MimicLoss.Compute(ones(2, 4), ones(2, 5)), Throws.ArgumentException);
    });

    [Test]
    public void Relations_of_embeddings_need_no_logits()
    {
        foreach (DistillationLoss loss in new DistillationLoss[] { new CorrelationCongruenceLoss(), new RkdLoss() })
        {
            var (value, gradient) = LossProbe.OnEmbeddings(loss, LossProbe.Logits(5, 4, 1), LossProbe.Logits(5, 7, 2));
            Assert.That(value, Is.GreaterThan(0), loss.Name);
            Assert.That(gradient, Has.Some.Not.Zero, loss.Name);
        }
    }
}

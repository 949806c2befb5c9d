using MlNetDistill.Losses;
using MlNetDistill.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class AdjacentPairsLossTests
{
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    [Test]
    public void The_loss_is_the_mean_product_of_consecutive_differences()
    {
        var student = tensor(new[,] { { 1.0, 2 }, { 3, 4 }, { 0, 1 } });
        var teacher = tensor(new[,] { { 0.0, 4 }, { 1, 1 }, { 1, 1 } });
        // |d| = (1, 2), (2, 3), (1, 0): products 1·2 + 2·3 and 2·1 + 3·0.
        Near.Value(AdjacentPairsLoss.Compute(student, teacher).item<double>(), (8 + 2) / 2.0, 1e-14, 0, "loss");
    }

    [Test]
    public void The_gradient_through_a_projection_agrees_with_finite_differences()
    {
        using var generator = new Generator(1);
        var loss = new AdjacentPairsLoss();
        var projection = loss.CreateProjections(Shapes.OfEmbedding(3), Shapes.OfEmbedding(5), generator).Single().to(float64);
        var (student, teacher) = (Outputs.OfEmbedding(LossProbe.Logits(4, 3, 1)), Outputs.OfEmbedding(LossProbe.Logits(4, 5, 2)));
        FiniteDifferences.Check(loss, student, teacher, projections: projection);
        FiniteDifferences.CheckParameters(loss, student, teacher, projection);
    }

    [Test]
    public void Features_of_one_width_need_no_projection()
    {
        using var generator = new Generator(1);
        Assert.That(new AdjacentPairsLoss().CreateProjections(Shapes.OfEmbedding(5), Shapes.OfEmbedding(5), generator), Is.Empty);
        Assert.That(new AdjacentPairsLoss(ModelOutputs.Logits).CreateProjections(Shapes.OfEmbedding(3), Shapes.OfEmbedding(5), generator), Is.Empty);
    }

    [Test]
    public void The_projection_is_on_the_students_side()
    {
        using var generator = new Generator(1);
        var projection = new AdjacentPairsLoss().CreateProjections(Shapes.OfEmbedding(3), Shapes.OfEmbedding(5), generator).Single();
        Assert.That(projection.call(zeros(2, 3)).shape, Is.EqualTo(new long[] { 2, 5 }));
    }

    [Test]
    public void A_teacher_without_an_embedding_is_refused()
    {
        using var generator = new Generator(1);
        Assert.That(
            () => new AdjacentPairsLoss().CreateProjections(Shapes.OfEmbedding(3), Shapes.OfStages(), generator),
            Throws.InvalidOperationException.With.Message.StartsWith("The loss 'adjacentPairs' compares embeddings"));
    }
}

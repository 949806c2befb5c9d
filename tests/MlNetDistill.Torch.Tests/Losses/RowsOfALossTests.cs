using MlNetDistill.Losses;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>The rows that relational losses compare: logits without their level, and the graph over rows.</summary>
public sealed class RowsOfALossTests
{
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    [Test]
    public void A_constant_added_to_a_row_of_logits_is_not_seen_by_losses_between_rows()
    {
        var (student, teacher) = (LossProbe.Logits(3, 4, 1), LossProbe.Logits(3, 4, 2));
        var level = tensor(new[,] { { 5.0 }, { -3 }, { 10 } });
        foreach (var loss in new DistillationLoss[] { new RkdLoss(on: ModelOutputs.Logits), new CorrelationCongruenceLoss(on: ModelOutputs.Logits), new AdjacentPairsLoss(ModelOutputs.Logits) })
        {
            double Value(Tensor ours, Tensor theirs) => loss.Evaluate(LossProbe.Inputs(ours, theirs)).item<double>();
            Near.Value(Value(student.add(level), teacher), Value(student, teacher), 1e-10, 0, $"{loss.Name}, student");
            Near.Value(Value(student, teacher.add(level)), Value(student, teacher), 1e-10, 0, $"{loss.Name}, teacher");
        }

        Assert.That(RowFeatures.Select(student, ModelOutputs.Embedding), Is.SameAs(student), "the level of an embedding belongs to it");
    }

    [Test]
    public void RKD_refuses_two_numbers_of_rows() => Assert.That(
        () => RkdLoss.Compute(zeros(3, 2), zeros(4, 2)), Throws.ArgumentException.With.Message.StartsWith("The student has 3 rows, the teacher 4."));

    [Test]
    public void Negative_cosines_are_no_edges_where_they_are_set_to_0()
    {
        var root = Math.Sqrt(0.5);
        var features = tensor(new[,] { { 1, 0 }, { root, root }, { -root, root } });
        // The only cosine above 0 is that of the first two rows; of two rows with one edge each, it is 1.
        Near.Array(Near.Values(RowGraph.Adjacency(features, SignedFeatures.ClampCosines, null, null)), [0, 1, 0, 1, 0, 0, 0, 0, 0], 1e-12, 1e-12, "graph");
    }

    [Test]
    public void A_graph_of_features_that_are_no_rows_or_negative_is_refused_with_what_to_do() => Assert.Multiple(() =>
    {
        Assert.That(() => GraphKdLoss.Compute(zeros(3), zeros(3, 2)), Throws.ArgumentException.With.Message.StartsWith("The features must be rows×values or rows×channels×height×width; they are 3."));
        var negative = tensor(new[,] { { 1.0, 2 }, { -0.5, 1 }, { 3, 1 } });
        Assert.That(
            () => GraphKdLoss.Compute(ones(3, 2, float64), negative),
            Throws.InvalidOperationException.With.Message.Contains("one of the teacher's is -0.5").And.Message.Contains("SignedFeatures.ClampCosines"));
    });
}

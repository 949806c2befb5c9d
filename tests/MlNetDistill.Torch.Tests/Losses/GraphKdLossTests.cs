using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class GraphKdLossTests
{
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    [Test]
    public void The_graph_of_three_rows_is_as_computed_by_hand()
    {
        // Student: cosines 0, c, c with c = 1/√2; degrees c, c, 2c; edges c / √(c · 2c) = 1/√2 between rows 0 and 2, and 1 and 2. Teacher: all cosines 1, edges 1/2.
        var student = tensor(new[,] { { 1.0, 0 }, { 0, 1 }, { 1, 1 } });
        var teacher = ones(3, 5, float64);
        var (root, half) = (Math.Sqrt(0.5), 0.5);
        var expected = (2 * half * half) + (4 * (root - half) * (root - half));
        Near.Value(GraphKdLoss.Compute(student, teacher).item<double>(), expected, 1e-12, 0, "loss");
    }

    [Test]
    public void A_student_that_is_its_teacher_scaled_row_by_row_has_no_loss()
    {
        var teacher = LossProbe.Logits(6, 4, 3).abs();
        var student = teacher.mul(tensor(new[] { 1.0, 2, 3, 4, 5, 6 }).unsqueeze(1));
        Assert.That(GraphKdLoss.Compute(student, teacher, power: 3).item<double>(), Is.Zero.Within(1e-20));
    }

    [TestCase(1, null, GraphEdges.All)]
    [TestCase(3, null, GraphEdges.All)]
    [TestCase(1, 2, GraphEdges.All)]
    [TestCase(2, 3, GraphEdges.DifferentClass)]
    [TestCase(1, null, GraphEdges.SameClass)]
    public void The_gradient_agrees_with_finite_differences_for_features_of_different_shapes(int power, int? neighbours, GraphEdges edges) => FiniteDifferences.Check(
        new GraphKdLoss([(0, 0)], power, neighbours, edges), Outputs.OfStages(LossProbe.Maps(6, 2, 2, 2, 1).abs()), Outputs.OfStages(LossProbe.Logits(6, 7, 2).abs()),
        LossProbe.Labels(0, 1, 0, 1, -100, 0), null, true);

    [Test]
    public void As_many_neighbours_as_there_are_other_rows_are_all()
    {
        var (student, teacher) = (LossProbe.Logits(6, 4, 3).abs(), LossProbe.Logits(6, 4, 4).abs());
        double With(int? neighbours) => GraphKdLoss.Compute(student, teacher, neighbours: neighbours).item<double>();
        Assert.That(With(5), Is.EqualTo(With(null)));
        Assert.That(With(100), Is.EqualTo(With(null)));
        Assert.That(With(1), Is.LessThan(With(null)));
    }

    [Test]
    public void Of_rows_that_are_equally_near_the_first_is_the_neighbour()
    {
        // Rows 1 to 3 are equally near to row 0, and at right angles to each other, so every row but 0 has row 0 as its nearest.
        var teacher = tensor(new[,] { { 1.0, 1, 1 }, { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } });
        var mask = RowGraph.NeighbourMask(RowGraph.Adjacency(teacher, SignedFeatures.Throw, null, null), 1);
        Assert.That(Near.Values(mask), Is.EqualTo(new double[] { 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0 }));
        // At right angles to all others: each row lists the first other row, and row 0 lists row 1.
        var apart = RowGraph.NeighbourMask(RowGraph.Adjacency(eye(4, dtype: float64), SignedFeatures.Throw, null, null), 1);
        Assert.That(Near.Values(apart), Is.EqualTo(Near.Values(mask)));
    }

    [Test]
    public void A_row_without_an_edge_gets_no_gradient_and_the_others_do()
    {
        // The last row is at right angles to all others, the one before it is zero.
        var student = tensor(new[,] { { 1.0, 2, 0 }, { 2, 1, 0 }, { 3, 1, 0 }, { 0, 0, 0 }, { 0, 0, 1 } });
        var (value, gradients) = LossProbe.OnStages(new GraphKdLoss([(0, 0)]), [student], [LossProbe.Logits(5, 4, 1).abs()]);
        Assert.That(value, Is.Positive);
        Assert.That(gradients[0].Chunk(3).Select(row => row.Any(g => g != 0)), Is.EqualTo(new[] { true, true, true, false, false }));
    }

    [TestCase(0, 1, Description = "the first batch is checked at once")]
    [TestCase(3, 4, Description = "the others at the end of the epoch")]
    public void Negative_features_in_any_batch_of_an_epoch_are_refused(int negative, int batches)
    {
        using var set = Toy.Clouds(rows: 64);
        using var student = Runs.Student(NetworkSpec.Mlp(6), set);
        var teacher = new SignedTeacher(negative);
        var run = new MethodRun { Epochs = 2, BatchSize = 16 };
        Assert.That(
            () => run.Train(student, set, DistillationMethod.FromLoss("graph", new GraphKdLoss()), new Anchor("teacher", 1, teacher)),
            Throws.InvalidOperationException.With.Message.StartsWith("Graph-based distillation needs features of at least 0, as after a rectifier; one of the teacher's is -0.5."));
        Assert.That((teacher.Queries, run.Reports.Count), Is.EqualTo((batches, 0)));
    }

    [Test]
    public void Signed_features_are_refused_or_their_negative_cosines_clamped()
    {
        var (signed, other) = (LossProbe.Logits(6, 4, 5), LossProbe.Logits(6, 4, 6).abs());
        Assert.That(() => GraphKdLoss.Compute(signed, other), Throws.InvalidOperationException.With.Message.Contains("one of the student's is -"));
        Assert.That(() => GraphKdLoss.Compute(other, signed), Throws.InvalidOperationException.With.Message.Contains("one of the teacher's is -"));
        FiniteDifferences.Check(new GraphKdLoss(signed: SignedFeatures.ClampCosines), Outputs.OfEmbedding(signed), Outputs.OfEmbedding(LossProbe.Logits(6, 5, 7)));
    }

    [Test]
    public void Rows_without_a_label_are_no_part_of_a_graph_inside_classes()
    {
        var (student, teacher) = (LossProbe.Logits(6, 4, 8).abs(), LossProbe.Logits(6, 5, 9).abs());
        var kept = tensor(new long[] { 0, 1, 2, 4 });
        double With(Tensor s, Tensor t, Tensor labels) => GraphKdLoss.Compute(s, t, labels: labels, edges: GraphEdges.SameClass).item<double>();
        var all = With(student, teacher, LossProbe.Labels(0, 1, 0, -100, 1, -100));
        Near.Value(all, With(student.index_select(0, kept), teacher.index_select(0, kept), LossProbe.Labels(0, 1, 0, 1)), 1e-12, 0, "loss");
    }

    [Test]
    public void Taps_are_averaged()
    {
        Tensor[] student = [LossProbe.Logits(5, 4, 1).abs(), LossProbe.Logits(5, 3, 2).abs()];
        Tensor[] teacher = [LossProbe.Logits(5, 6, 3).abs(), LossProbe.Logits(5, 2, 4).abs()];
        var both = LossProbe.OnStages(new GraphKdLoss([(0, 0), (1, 1)]), student, teacher).Value;
        var (first, second) = (GraphKdLoss.Compute(student[0], teacher[0]).item<double>(), GraphKdLoss.Compute(student[1], teacher[1]).item<double>());
        Near.Value(both, (first + second) / 2, 1e-12, 0, "mean");
    }

    [Test]
    public void Arguments_that_cannot_work_are_refused()
    {
        Assert.That(() => new GraphKdLoss(power: 0), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("power"));
        Assert.That(() => new GraphKdLoss(neighbours: 0), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("neighbours"));
        Assert.That(() => new GraphKdLoss([]), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("at least one pair of taps"));
        Assert.That(() => new GraphKdLoss(edges: (GraphEdges)9), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("SameClass"));
        Assert.That(() => GraphKdLoss.Compute(ones(3, 2), ones(4, 2)), Throws.ArgumentException.With.Message.Contains("The student has 3 rows, the teacher 4."));
        Assert.That(() => GraphKdLoss.Compute(ones(3, 2), ones(3, 2), edges: GraphEdges.SameClass), Throws.ArgumentException.With.Message.Contains("chosen by labels"));
        using var generator = new Generator(1);
        Assert.That(
            () => new GraphKdLoss().CreateProjections(new OutputShapes(3), Shapes.OfEmbedding(4), generator), Throws.InvalidOperationException.With.Message.Contains("compares embeddings"));
    }

    /// <summary>A teacher with negative embeddings in one of its answers.</summary>
    private sealed class SignedTeacher(int negative) : StageTeacher
    {
        public int Queries { get; private set; }

        public override OutputShapes Shapes => new(3, 4, []);

        public override NetworkOutput Outputs(Batch batch, ModelOutputs wanted) =>
            new(embedding: rand(batch.Positions.shape[0], 4).sub(Queries++ == negative ? full(1, 1.5) : zeros(1)).ClampMin(-0.5));
    }
}

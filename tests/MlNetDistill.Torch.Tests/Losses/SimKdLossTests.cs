using MlNetDistill.Losses;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>What SimKD needs of the two networks, and what it refuses.</summary>
public sealed class SimKdLossTests
{
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    [Test]
    public void The_student_gives_what_is_compared_and_the_logits_it_is_judged_by() => Assert.Multiple(() =>
    {
        Assert.That(new SimKdLoss().StudentNeeds, Is.EqualTo(ModelOutputs.Embedding | ModelOutputs.Logits));
        Assert.That(new SimKdLoss(SimKdFeatures.LastMap).StudentNeeds, Is.EqualTo(ModelOutputs.StageFeatures | ModelOutputs.Logits));
        Assert.That(new SimKdLoss().TeacherNeeds, Is.EqualTo(ModelOutputs.Embedding));
        Assert.That(new SimKdLoss(SimKdFeatures.LastMap).TeacherNeeds, Is.EqualTo(ModelOutputs.StageFeatures));
    });

    [TestCase(SimKdFeatures.Embedding)]
    [TestCase(SimKdFeatures.LastMap)]
    public void Embeddings_of_two_lengths_need_a_projected_student(SimKdFeatures on)
    {
        var (student, teacher) = (new OutputShapes(3, 4, [[4, 2, 2]]), new OutputShapes(3, 6, [[6, 2, 2]]));
        Assert.That(() => Create(on, student, teacher), Throws.InvalidOperationException.With.Message.EqualTo(
            "SimKD keeps the teacher's last layer, which reads an embedding of 6 values; the student's has 4. Give the student as NetworkSpec.Projected(student, 6)."));
        Assert.That(Create(on, teacher, teacher), Is.Empty, "the projection belongs to the student");
    }

    [Test]
    public void The_last_taps_must_be_maps_of_as_many_channels_as_the_embedding() => Assert.Multiple(() =>
    {
        var map = new OutputShapes(3, 4, [[2, 8, 8], [4, 2, 2]]);
        foreach (var (last, wrong) in new (string, long[][])[] { ("4", [[4, 2, 2], [4]]), ("5, 2, 2", [[4, 2, 2], [5, 2, 2]]), ("", []) })
        {
            var other = new OutputShapes(3, 4, wrong);
            string Message(string whose) =>
                $"SimKD on the last maps needs a {whose} whose last tap is the map that is pooled to its embedding of 4; its last tap is [{last}]. Use SimKdFeatures.Embedding.";
            Assert.That(() => Create(SimKdFeatures.LastMap, other, map), Throws.InvalidOperationException.With.Message.EqualTo(Message("student")));
            Assert.That(() => Create(SimKdFeatures.LastMap, map, other), Throws.InvalidOperationException.With.Message.EqualTo(Message("teacher")));
            Assert.That(Create(SimKdFeatures.Embedding, other, map), Is.Empty, "embeddings need no taps");
        }

        Assert.That(Create(SimKdFeatures.LastMap, map, new OutputShapes(3, 4, [[4, 7, 7]])), Is.Empty, "maps may be of two sizes");
    });

    [Test]
    public void The_last_maps_are_compared_and_rows_are_weighed()
    {
        Tensor[] student = [LossProbe.Maps(2, 3, 4, 4, 1), LossProbe.Maps(2, 5, 2, 2, 2)], teacher = [LossProbe.Maps(2, 7, 4, 4, 3), LossProbe.Maps(2, 5, 2, 2, 4)];
        var perRow = Near.Values(student[1].sub(teacher[1]).square().flatten(1).mean([1]));
        Near.Value(LossProbe.OnStages(new SimKdLoss(SimKdFeatures.LastMap), student, teacher).Value, perRow.Average(), 1e-12, 0, "loss");
        Near.Value(
            LossProbe.OnStages(new SimKdLoss(SimKdFeatures.LastMap), student, teacher, tensor(new[] { 3.0, 1 })).Value, ((3 * perRow[0]) + perRow[1]) / 4, 1e-12, 0, "weighed");
    }

    [Test]
    public void Arguments_that_do_not_fit_are_refused() => Assert.Multiple(() =>
    {
        Assert.That(() => new SimKdLoss((SimKdFeatures)7), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith("SimKD compares Embedding or LastMap."));
        Assert.That(() => SimKdLoss.Compute(zeros(2, 3), zeros(2, 1)), Throws.ArgumentException.With.Message.Contains("the shape 2×3, the teacher's 2×1"));
        Assert.That(() => SimKdLoss.Compute(null!, zeros(2, 3)), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("student"));
        Assert.That(() => SimKdLoss.Compute(zeros(2, 3), null!), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("teacher"));
        Assert.That(() => new SimKdLoss().Evaluate(null!), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("inputs"));
        Assert.That(() => Create(SimKdFeatures.Embedding, null!, Shapes.OfEmbedding(3)), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("student"));
        Assert.That(() => Create(SimKdFeatures.Embedding, Shapes.OfEmbedding(3), null!), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("teacher"));
    });

    private static IReadOnlyList<nn.Module<Tensor, Tensor>> Create(SimKdFeatures on, OutputShapes student, OutputShapes teacher)
    {
        using var generator = new Generator(1);
        return new SimKdLoss(on).CreateProjections(student, teacher, generator);
    }
}

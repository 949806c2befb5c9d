using MlNetDistill.Core;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>How a student of embeddings is judged, what its network is, and how a teacher's embeddings are shortened.</summary>
public sealed class EmbeddingTaskTests
{
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    [Test]
    public void It_is_judged_by_the_mean_cosine_where_values_correspond()
    {
        var (student, teacher) = (LossProbe.Logits(6, 4, 1), LossProbe.Logits(6, 4, 2));
        var expected = nn.functional.cosine_similarity(student, teacher, 1, 1e-8);
        var result = new EmbeddingTask(4, true).EvaluateAgainstTeacher(student, teacher, null);
        Assert.That((result.Measure, result.Loss), Is.EqualTo(("cosine", 1 - result.Quality)));
        Near.Value(result.Quality, expected.mean().item<double>(), 1e-12, 0, "quality");
        var weights = tensor(new[] { 1f, 0, 0, 0, 0, 3 });
        Near.Value(
            new EmbeddingTask(4, true).EvaluateAgainstTeacher(student, teacher, weights).Quality, (expected[0].item<double>() + (3 * expected[5].item<double>())) / 4, 1e-12, 0, "weighted");
        Assert.That(new EmbeddingTask(4, true).EvaluateAgainstTeacher(student, teacher, zeros(6)).Quality, Is.Zero, "no row counts");
    }

    [Test]
    public void It_is_judged_by_the_similarities_of_pairs_where_values_do_not_correspond()
    {
        var teacher = LossProbe.Logits(40, 4, 2);
        var rotation = linalg.qr(LossProbe.Logits(4, 4, 3)).Q;
        var task = new EmbeddingTask(4, false);
        Assert.That(task.EvaluateAgainstTeacher(teacher.mm(rotation), teacher, null).Quality, Is.EqualTo(1).Within(1e-12), "a rotation changes nothing");
        Assert.That(Math.Abs(task.EvaluateAgainstTeacher(LossProbe.Logits(40, 4, 4), teacher, null).Quality), Is.LessThan(0.3));
        Assert.That(task.EvaluateAgainstTeacher(teacher.narrow(0, 0, 1), teacher.narrow(0, 0, 1), null).Quality, Is.Zero, "there are no pairs");
        Assert.That(task.EvaluateAgainstTeacher(ones(5, 4), teacher.narrow(0, 0, 5), null).Quality, Is.Zero, "a collapsed student");
    }

    [Test]
    public void Axes_keep_the_cosines_of_embeddings_that_lie_in_so_many_directions()
    {
        var embeddings = LossProbe.Logits(50, 3, 1, type: ScalarType.Float32).mm(LossProbe.Logits(3, 8, 2, type: ScalarType.Float32));
        var (axes, kept) = EmbeddingAxes.Find(embeddings, arange(50, ScalarType.Int64), 3);
        Assert.That(kept, Is.EqualTo(1).Within(1e-6));
        var projected = nn.functional.normalize(embeddings.mm(axes));
        var unit = nn.functional.normalize(embeddings);
        Near.Array(Near.Values(projected.mm(projected.t())), Near.Values(unit.mm(unit.t())), 1e-5, 1e-5, "cosines");
        var (again, _) = EmbeddingAxes.Find(embeddings.mul(-1), arange(50, ScalarType.Int64), 3);
        Near.Array(Near.Values(again), Near.Values(axes), 1e-4, 1e-5, "the same axes");
        Assert.That(EmbeddingAxes.Find(embeddings, arange(50, ScalarType.Int64), 2).Kept, Is.LessThan(0.999));
    }

    [Test]
    public void Its_network_ends_in_the_embedding()
    {
        var spec = EmbeddingSpec.Of(NetworkSpec.Mlp(6) with { InputScaling = InputScaling.None }, 3);
        using var network = spec.Build(new NetworkInput(InputShape.Vector(5)), 3, 1);
        Assert.That((network.EmbeddingLength, network.ParameterCount, spec.InputScaling), Is.EqualTo((3, (5L * 6) + 6 + (6 * 3) + 3, InputScaling.None)));
        var output = network.Forward(ones(2, 5), ModelOutputs.Logits | ModelOutputs.Embedding);
        Assert.That(output.Logits.allclose(output.Embedding));
        Assert.That(spec.Name, Is.EqualTo("MLP 6, embedding of 3"));
        using var linear = EmbeddingSpec.Of(NetworkSpec.Mlp(), 3).Build(new NetworkInput(InputShape.Vector(5)), 3, 1);
        Assert.That(linear.IsLinear, Is.False, "its layer to the embedding is part of the body");
    }
}

using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>SimKD: the student's embedding comes to the teacher's, whose last layer it keeps.</summary>
public sealed class SimKdTests
{
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    [Test]
    public void The_embedding_of_a_perceptron_comes_to_its_teachers_and_its_last_layer_is_the_teachers_bit_for_bit()
    {
        using var set = Toy.Clouds(rows: 256, classes: 4, length: 8, noise: 1);
        using var teacher = Trained(NetworkSpec.Mlp(24), set);
        using var student = Runs.Student(NetworkSpec.Projected(NetworkSpec.Mlp(20), 24), set);
        var before = EmbeddingError(student, teacher, set);

        new MethodRun { Epochs = 80, HeldOut = 0.25 }.Train(student, set, DistillationMethod.SimKd(), MethodRun.Anchor(teacher));

        Assert.That(Near.Values(student.Head.Weight), Is.EqualTo(Near.Values(teacher.Head.Weight)));
        Assert.That(Near.Values(student.Head.Bias), Is.EqualTo(Near.Values(teacher.Head.Bias)));
        var after = EmbeddingError(student, teacher, set);
        TestContext.Out.WriteLine($"mean square of the difference of embeddings {before} -> {after}; accuracy {Runs.Accuracy(student, set)} of {Runs.Accuracy(teacher, set)}");
        Assert.That(after, Is.LessThan(0.1 * before));
        Assert.That(Runs.Accuracy(student, set), Is.GreaterThan(Runs.Accuracy(teacher, set) - 0.05));
    }

    [TestCase(SimKdFeatures.Embedding)]
    [TestCase(SimKdFeatures.LastMap)]
    public void The_map_of_a_network_of_images_comes_to_its_teachers(SimKdFeatures on)
    {
        using var set = Toy.Images(64);
        using var teacher = Trained(NetworkSpec.ResNet(8, 4, 6, 12), set);
        using var student = Runs.Student(NetworkSpec.Projected(NetworkSpec.ResNet(8, 2, 4, 6), 12), set);
        var before = EmbeddingError(student, teacher, set);

        new MethodRun { Epochs = 60 }.Train(student, set, DistillationMethod.SimKd(on), MethodRun.Anchor(teacher));

        var after = EmbeddingError(student, teacher, set);
        TestContext.Out.WriteLine($"{on}: mean square of the difference of embeddings {before} -> {after}; accuracy {Runs.Accuracy(student, set)} of {Runs.Accuracy(teacher, set)}");
        Assert.That(Near.Values(student.Head.Weight), Is.EqualTo(Near.Values(teacher.Head.Weight)));
        Assert.That(after, Is.LessThan(0.3 * before));
        Assert.That(Runs.Accuracy(student, set), Is.GreaterThan(0.9), "chance is a half");
    }

    [Test]
    public void A_student_with_an_embedding_as_long_as_its_teachers_needs_no_projection()
    {
        using var set = Toy.Clouds(rows: 128);
        using var teacher = Trained(NetworkSpec.Mlp(16, 12), set);
        using var student = Runs.Student(NetworkSpec.Mlp(12), set);
        new MethodRun { Epochs = 20 }.Train(student, set, DistillationMethod.SimKd(), MethodRun.Anchor(teacher));
        Assert.That(Near.Values(student.Head.Weight), Is.EqualTo(Near.Values(teacher.Head.Weight)));
        Assert.That(student.Head.Weight.requires_grad, Is.True, "the student can be trained on");
    }

    [Test]
    public void The_projected_network_is_what_the_settings_say()
    {
        var input = new NetworkInput(InputShape.Image(3, 32, 32), false);
        using var plain = NetworkSpec.ResNet(8).Build(input, 10, 1);
        using var projected = NetworkSpec.Projected(NetworkSpec.ResNet(8), 256).Build(input, 10, 1);
        // 1×1 from 64 to 128, 3×3 in 128, 1×1 to 256, two parameters of a normalization for each channel, and the head of 256 for that of 64.
        const int Projection = (64 * 128) + (9 * 128 * 128) + (128 * 256) + (2 * (128 + 128 + 256));
        Assert.That(projected.ParameterCount - plain.ParameterCount, Is.EqualTo(Projection + (10 * (256 - 64))));
        var shapes = projected.GetOutputShapes();
        Assert.That(shapes.EmbeddingLength, Is.EqualTo(256));
        Assert.That(shapes.StageFeatures[^1], Is.EqualTo(new long[] { 256, 8, 8 }));
        Assert.That(shapes.StageFeatures, Has.Count.EqualTo(plain.GetOutputShapes().StageFeatures.Count + 1));
        Assert.That(NetworkSpec.Projected(NetworkSpec.Mlp(8), 0, 0).Validate().Count(), Is.EqualTo(2));
    }

    [Test]
    public void Each_anchor_of_a_route_gives_its_own_last_layer()
    {
        using var set = Toy.Clouds(rows: 96);
        using var first = Trained(NetworkSpec.Mlp(12), set);
        using var last = Trained(NetworkSpec.Mlp(12), set, seed: 10);
        using var student = Runs.Student(NetworkSpec.Mlp(12), set);
        var heads = new List<double[]>();
        var run = new MethodRun { Epochs = 2, BeforeStage = _ => heads.Add(Near.Values(student.Head.Weight)) };
        run.Train(student, set, DistillationMethod.Rco(DistillationMethod.SimKd()), MethodRun.Anchor(first), MethodRun.Anchor(last));
        Assert.That(heads[1], Is.EqualTo(Near.Values(first.Head.Weight)), "after the first stage");
        Assert.That(Near.Values(student.Head.Weight), Is.EqualTo(Near.Values(last.Head.Weight)));
        Assert.That(
            DistillationMethod.Rco(DistillationMethod.SimKd(), schedule: RcoSchedule.OneStage).Validate(), Has.Exactly(1).Contains("SimKD keeps the last layer of one teacher"));
    }

    [Test]
    public void What_cannot_work_is_refused_with_what_to_do()
    {
        using var set = Toy.Clouds(rows: 48);
        using var teacher = Runs.Student(NetworkSpec.Mlp(12), set, seed: 9);
        using var narrow = Runs.Student(NetworkSpec.Mlp(8), set);
        using var student = Runs.Student(NetworkSpec.Mlp(12), set);
        void Train(Network network, DistillationMethod method, StageTeacher of) => new MethodRun { Epochs = 1 }.Train(network, set, method, new Anchor("teacher", 1, of));
        using var shown = new NetworkTeacher(teacher, TeacherCaching.InMemory(64));
        Assert.That(() => Train(narrow, DistillationMethod.SimKd(), shown), Throws.InvalidOperationException.With.Message.Contains("NetworkSpec.Projected(student, 12)"));
        Assert.That(() => Train(student, DistillationMethod.SimKd(SimKdFeatures.LastMap), shown), Throws.InvalidOperationException.With.Message.Contains("SimKdFeatures.Embedding"));
        Assert.That(
            () => Train(student, DistillationMethod.SimKd(), new HiddenTeacher(shown)), Throws.InvalidOperationException.With.Message.Contains("this teacher shows none"));
    }

    [Test]
    public void Last_maps_that_are_not_what_the_last_layer_reads_are_refused()
    {
        using var set = Toy.Images(16, side: 8);
        using var teacher = Runs.Student(NetworkSpec.WideResNet(10, 1), set, seed: 9);
        using var student = Runs.Student(NetworkSpec.Projected(NetworkSpec.ResNet(8, 2, 4, 6), 64), set);
        Assert.That(
            () => new MethodRun { Epochs = 1 }.Train(student, set, DistillationMethod.SimKd(SimKdFeatures.LastMap), MethodRun.Anchor(teacher)),
            Throws.InvalidOperationException.With.Message.Contains("the embedding of the teacher is not the mean of its last tap"));
        Assert.That(() => new MethodRun { Epochs = 1 }.Train(student, set, DistillationMethod.SimKd(), MethodRun.Anchor(teacher)), Throws.Nothing);
    }

    private static Network Trained(NetworkSpec spec, IRowSource set, int seed = 9)
    {
        var network = Runs.Student(spec, set, seed);
        new MethodRun { Epochs = 20 }.Train(network, set, DistillationMethod.LabelsOnly());
        return network;
    }

    private static double EmbeddingError(Network student, Network teacher, InMemoryRows set)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor Embedding(Network network)
        {
            network.eval();
            return network.Forward(set.AllFeatures(), ModelOutputs.Embedding).Embedding;
        }

        return SimKdLoss.Compute(Embedding(student), Embedding(teacher)).item<float>();
    }

    /// <summary>A teacher that gives embeddings and shows no network.</summary>
    private sealed class HiddenTeacher(StageTeacher inner) : StageTeacher
    {
        public override OutputShapes Shapes => inner.Shapes;

        public override NetworkOutput Outputs(Batch batch, ModelOutputs wanted) => inner.Outputs(batch, wanted);
    }
}

using MlNetDistill.Losses;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>A stage owns the projections its loss asks for: it trains them beside the student and throws them away.</summary>
public sealed class ProjectionTests
{
    [Test]
    public void Projections_are_trained_with_the_student_and_disposed_with_the_stage()
    {
        using var set = Toy.Clouds(rows: 64);
        using var teacher = Runs.Student(Student.Mlp(12), set, seed: 9);
        using var student = Runs.Student(Student.Mlp(5), set);
        var names = student.state_dict().Keys.ToList();
        var loss = new WatchedHint();

        new MethodRun { Epochs = 3 }.Train(student, set, DistillationMethod.Of("watched", loss), MethodRun.Anchor(teacher));

        Assert.That(loss.Made, Has.Count.EqualTo(1));
        Assert.That(loss.Shapes, Is.EqualTo((5L, 12L)), "shapes of student and teacher");
        Assert.That(loss.Seen[^1], Is.Not.EqualTo(loss.Seen[0]), "the projection has learnt");
        Assert.That(loss.Parameters.Select(p => p.IsInvalid), Has.All.True, "its parameters are gone");
        Assert.That(student.state_dict().Keys, Is.EqualTo(names), "the student is what it was");
    }

    [Test]
    public void A_projection_that_would_start_at_random_starts_alike_for_a_seed()
    {
        using var set = Toy.Clouds(rows: 64);
        using var teacher = Runs.Student(Student.Mlp(12), set, seed: 9);
        double[] Trained(int seed)
        {
            using var student = Runs.Student(Student.Mlp(5), set);
            new MethodRun { Epochs = 2, Seed = seed }.Train(
                student, set, DistillationMethod.Of("hint", new CrossEntropyLoss() + new HintLoss((0, 0))), MethodRun.Anchor(teacher));
            return Runs.State(student);
        }

        Assert.That(Trained(1), Is.EqualTo(Trained(1)));
        Assert.That(Trained(1), Is.Not.EqualTo(Trained(2)));
    }

    [Test]
    public void A_weight_that_warms_up_rises_epoch_by_epoch()
    {
        using var set = Toy.Clouds(rows: 64);
        using var teacher = Runs.Student(Student.Mlp(12), set, seed: 9);
        using var student = Runs.Student(Student.Mlp(5), set);
        var run = new MethodRun { Epochs = 5, Optimizer = Optimizer.Sgd(1e-6) };
        run.Train(student, set, DistillationMethod.Of("warm", (3 * new KdLoss(1)).WarmedUpOver(4) + new CrossEntropyLoss()), MethodRun.Anchor(teacher));
        var factors = run.Reports.Select(r => (r.Losses["total"] - r.Losses["crossEntropy"]) / r.Losses["kd"]);
        Near.Array([.. factors], [0.75, 1.5, 2.25, 3, 3], 1e-9, 0, "weight in each epoch");
    }

    [Test]
    public void A_weight_that_warms_up_scales_the_gradient_too()
    {
        using var set = Toy.Clouds(rows: 64);
        using var teacher = Runs.Student(Student.Mlp(12), set, seed: 9);
        double[] After(DistillationLoss loss)
        {
            using var student = Runs.Student(Student.Mlp(5), set);
            new MethodRun { Epochs = 1, Optimizer = Optimizer.Sgd(0.1) }.Train(student, set, DistillationMethod.Of("warm", loss), MethodRun.Anchor(teacher));
            return Runs.State(student);
        }

        Assert.That(After(new KdLoss(1).WarmedUpOver(4)), Is.EqualTo(After(0.25 * new KdLoss(1))));
    }

    private sealed class WatchedHint : DistillationLoss
    {
        public List<nn.Module<Tensor, Tensor>> Made { get; } = [];

        public List<TorchSharp.Modules.Parameter> Parameters { get; } = [];

        public List<double[]> Seen { get; } = [];

        public (long Student, long Teacher) Shapes { get; private set; }

        public override string Name => "watched";

        public override OutputKinds TeacherNeeds => OutputKinds.StageFeatures;

        public override OutputKinds StudentNeeds => OutputKinds.StageFeatures;

        public override IReadOnlyList<nn.Module<Tensor, Tensor>> Projections(OutputShapes student, OutputShapes teacher, Generator generator)
        {
            Shapes = (student.StageFeatures[0][0], teacher.StageFeatures[0][0]);
            var projection = new Dense((int)Shapes.Student, (int)Shapes.Teacher, generator);
            Made.Add(projection);
            Parameters.AddRange(projection.parameters());
            return [projection];
        }

        public override Tensor Evaluate(LossInputs inputs)
        {
            Seen.Add(Near.Values(Parameters[0]));
            var difference = inputs.ProjectionsOf(this)[0].call(inputs.Student.StageFeatures[0]).sub(inputs.Teacher.StageFeatures[0]);
            return difference.mul(difference).mean();
        }
    }
}

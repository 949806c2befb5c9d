using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>A stage owns the projections its loss asks for: it trains them beside the student and throws them away.</summary>
public sealed class ProjectionTests
{
    [Test]
    public void Projections_are_trained_with_the_student_and_disposed_with_the_stage()
    {
        using var set = Toy.Clouds(rows: 64);
        using var teacher = Runs.Student(NetworkSpec.Mlp(12), set, seed: 9);
        using var student = Runs.Student(NetworkSpec.Mlp(5), set);
        var names = student.state_dict().Keys.ToList();
        var loss = new WatchedHint();

        new MethodRun { Epochs = 3 }.Train(student, set, DistillationMethod.FromLoss("watched", loss), MethodRun.Anchor(teacher));

        Assert.That(loss.Made, Has.Count.EqualTo(1));
        Assert.That(loss.Shapes, Is.EqualTo((5L, 12L)), "shapes of student and teacher");
        Assert.That(loss.Seen[^1], Is.Not.EqualTo(loss.Seen[0]), "the projection has learnt");
        Assert.That(loss.Parameters.Select(p => p.IsInvalid), Has.All.True, "its parameters are gone");
        Assert.That(student.state_dict().Keys, Is.EqualTo(names), "the student is what it was");
    }

    [TestCase(ScalarType.Float64)]
    [TestCase(ScalarType.BFloat16)]
    public void A_projection_that_was_made_of_other_numbers_is_trained_in_32_bit_floats(ScalarType made)
    {
        using var set = Toy.Clouds(rows: 64);
        using var teacher = Runs.Student(NetworkSpec.Mlp(12), set, seed: 9);
        using var student = Runs.Student(NetworkSpec.Mlp(5), set);
        var loss = new HintOf(made);

        new MethodRun { Epochs = 2 }.Train(student, set, DistillationMethod.FromLoss("hint", loss), MethodRun.Anchor(teacher));

        Assert.That(loss.SeenTypes, Is.All.EqualTo((ScalarType.Float32, ScalarType.Int64)), "its weights, and the count of its normalisation");
        Assert.That(loss.Seen[^1], Is.Not.EqualTo(loss.Seen[0]), "it has learnt");
        Assert.That(loss.SeenCounts, Is.EqualTo(Enumerable.Range(0, loss.SeenCounts.Count)), "its normalisation has seen every batch before");
    }

    /// <summary>Moving a module to another device makes new parameters of it, so whoever asks for them before trains what is gone.</summary>
    [Test]
    public void The_parameters_trained_are_those_after_the_projection_was_moved()
    {
        using var set = Toy.Clouds(rows: 64);
        using var teacher = Runs.Student(NetworkSpec.Mlp(12), set, seed: 9);
        using var student = Runs.Student(NetworkSpec.Mlp(5), set);
        var loss = new MovingHint();
        new MethodRun { Epochs = 2 }.Train(student, set, DistillationMethod.FromLoss("moving", loss), MethodRun.Anchor(teacher));
        Assert.That(loss.Projection!.MovedBeforeAsked, Is.True);
    }

    [Test]
    public void A_projection_that_would_start_at_random_starts_alike_for_a_seed()
    {
        using var set = Toy.Clouds(rows: 64);
        using var teacher = Runs.Student(NetworkSpec.Mlp(12), set, seed: 9);
        double[] Trained(int seed)
        {
            using var student = Runs.Student(NetworkSpec.Mlp(5), set);
            new MethodRun { Epochs = 2, Seed = seed }.Train(
                student, set, DistillationMethod.FromLoss("hint", new CrossEntropyLoss() + new HintLoss((0, 0))), MethodRun.Anchor(teacher));
            return Runs.State(student);
        }

        Assert.That(Trained(1), Is.EqualTo(Trained(1)));
        Assert.That(Trained(1), Is.Not.EqualTo(Trained(2)));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void A_loss_with_projections_keeps_them_under_other_targets_and_on_standardised_logits(bool standardised)
    {
        // Every fourth row has no label, and the targets leave it out.
        using var set = Toy.Set(randn(32, 2), [.. Enumerable.Range(0, 32).Select(i => i % 4 == 3 ? IRowSource.MissingLabel : i % 3)], InputShape.Vector(2), 3);
        using var teacher = Runs.Student(NetworkSpec.Mlp(12), set, seed: 9);
        using var student = Runs.Student(NetworkSpec.Mlp(5), set);
        var inner = new ProjectedKd(reads: standardised ? ModelOutputs.Logits : ModelOutputs.Embedding);
        var loss = standardised ? new StandardizedLogitsLoss(inner) : inner.WithTargets(TeacherTargets.TrueClass());
        new MethodRun { Epochs = 3, BatchSize = 16 }.Train(student, set, DistillationMethod.FromLoss("wrapped", loss), MethodRun.Anchor(teacher));
        Assert.That(inner.Seen[^1], Is.Not.EqualTo(inner.Seen[0]), "the projection has learnt");
    }

    [Test]
    public void A_weight_that_warms_up_rises_epoch_by_epoch()
    {
        using var set = Toy.Clouds(rows: 64);
        using var teacher = Runs.Student(NetworkSpec.Mlp(12), set, seed: 9);
        using var student = Runs.Student(NetworkSpec.Mlp(5), set);
        var run = new MethodRun { Epochs = 5, Optimizer = Optimizer.Sgd(1e-6) };
        run.Train(student, set, DistillationMethod.FromLoss("warm", (3 * new KdLoss(1)).WithWarmup(4) + new CrossEntropyLoss()), MethodRun.Anchor(teacher));
        var factors = run.Reports.Select(r => (r.Losses["total"] - r.Losses["crossEntropy"]) / r.Losses["kd"]);
        Near.Array([.. factors], [0.75, 1.5, 2.25, 3, 3], 1e-9, 0, "weight in each epoch");
    }

    [Test]
    public void A_weight_that_warms_up_scales_the_gradient_too()
    {
        using var set = Toy.Clouds(rows: 64);
        using var teacher = Runs.Student(NetworkSpec.Mlp(12), set, seed: 9);
        double[] After(DistillationLoss loss)
        {
            using var student = Runs.Student(NetworkSpec.Mlp(5), set);
            new MethodRun { Epochs = 1, Optimizer = Optimizer.Sgd(0.1) }.Train(student, set, DistillationMethod.FromLoss("warm", loss), MethodRun.Anchor(teacher));
            return Runs.State(student);
        }

        Assert.That(After(new KdLoss(1).WithWarmup(4)), Is.EqualTo(After(0.25 * new KdLoss(1))));
    }

    /// <summary>KD of the student's embedding or logits through a layer of its own.</summary>
    private sealed class ProjectedKd(ModelOutputs reads) : DistillationLoss
    {
        public List<double[]> Seen { get; } = [];

        public override string Name => "projectedKd";

        public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

        public override ModelOutputs StudentNeeds => ModelOutputs.Logits | reads;

        public override bool ReadsOnlyProbabilities => true;

        public override IReadOnlyList<nn.Module<Tensor, Tensor>> CreateProjections(OutputShapes student, OutputShapes teacher, Generator generator) =>
            [new Linear(reads == ModelOutputs.Logits ? student.LogitCount : student.EmbeddingLength!.Value, teacher.LogitCount, generator)];

        public override Tensor Evaluate(LossInputs inputs)
        {
            var projection = inputs.ProjectionsFor(this)[0];
            Seen.Add(Near.Values(projection.parameters().First()));
            var student = projection.call(reads == ModelOutputs.Logits ? inputs.Student.Logits : inputs.Student.Embedding).LogSoftmax(1);
            var teacher = reads == ModelOutputs.Logits ? inputs.Teacher.Logits.LogSoftmax(1) : inputs.TeacherLogProbabilities(1);
            return teacher.exp().mul(teacher.sub(student)).sum(1).mean();
        }
    }

    private sealed class WatchedHint : DistillationLoss
    {
        public List<nn.Module<Tensor, Tensor>> Made { get; } = [];

        public List<TorchSharp.Modules.Parameter> Parameters { get; } = [];

        public List<double[]> Seen { get; } = [];

        public (long Student, long Teacher) Shapes { get; private set; }

        public override string Name => "watched";

        public override ModelOutputs TeacherNeeds => ModelOutputs.StageFeatures;

        public override ModelOutputs StudentNeeds => ModelOutputs.StageFeatures;

        public override IReadOnlyList<nn.Module<Tensor, Tensor>> CreateProjections(OutputShapes student, OutputShapes teacher, Generator generator)
        {
            Shapes = (student.StageFeatures[0][0], teacher.StageFeatures[0][0]);
            var projection = new Linear((int)Shapes.Student, (int)Shapes.Teacher, generator);
            Made.Add(projection);
            Parameters.AddRange(projection.parameters());
            return [projection];
        }

        public override Tensor Evaluate(LossInputs inputs)
        {
            Seen.Add(Near.Values(Parameters[0]));
            var difference = inputs.ProjectionsFor(this)[0].call(inputs.Student.StageFeatures[0]).sub(inputs.Teacher.StageFeatures[0]);
            return difference.mul(difference).mean();
        }
    }

    /// <summary>Its projection has numbers of a given type, and a count, which is an integer.</summary>
    private sealed class HintOf(ScalarType type) : DistillationLoss
    {
        public List<double[]> Seen { get; } = [];

        public List<(ScalarType Weights, ScalarType Count)> SeenTypes { get; } = [];

        public List<long> SeenCounts { get; } = [];

        public override string Name => "hintOf";

        public override ModelOutputs TeacherNeeds => ModelOutputs.StageFeatures;

        public override ModelOutputs StudentNeeds => ModelOutputs.StageFeatures;

        public override IReadOnlyList<nn.Module<Tensor, Tensor>> CreateProjections(OutputShapes student, OutputShapes teacher, Generator generator)
        {
            var projection = nn.Sequential(
                ("linear", new Linear((int)student.StageFeatures[0][0], (int)teacher.StageFeatures[0][0], generator)), ("norm", nn.BatchNorm1d(teacher.StageFeatures[0][0])));
            projection.to(type);
            // As if it had scored before.
            projection.eval();
            return [projection];
        }

        public override Tensor Evaluate(LossInputs inputs)
        {
            var projection = inputs.ProjectionsFor(this)[0];
            var weights = projection.parameters().First();
            Seen.Add(Near.Values(weights));
            var count = projection.buffers().Last();
            SeenTypes.Add((weights.dtype, count.dtype));
            SeenCounts.Add(count.item<long>());
            var difference = projection.call(inputs.Student.StageFeatures[0]).sub(inputs.Teacher.StageFeatures[0]);
            return difference.mul(difference).mean();
        }
    }

    private sealed class MovingHint : DistillationLoss
    {
        public Watched? Projection { get; private set; }

        public override string Name => "moving";

        public override ModelOutputs TeacherNeeds => ModelOutputs.StageFeatures;

        public override ModelOutputs StudentNeeds => ModelOutputs.StageFeatures;

        public override IReadOnlyList<nn.Module<Tensor, Tensor>> CreateProjections(OutputShapes student, OutputShapes teacher, Generator generator) =>
            [Projection = new Watched(new Linear((int)student.StageFeatures[0][0], (int)teacher.StageFeatures[0][0], generator))];

        public override Tensor Evaluate(LossInputs inputs)
        {
            var difference = inputs.ProjectionsFor(this)[0].call(inputs.Student.StageFeatures[0]).sub(inputs.Teacher.StageFeatures[0]);
            return difference.mul(difference).mean();
        }
    }

    private sealed class Watched : nn.Module<Tensor, Tensor>
    {
        private readonly Linear _inner;
        private bool _asked;

        public Watched(Linear inner) : base("watched")
        {
            _inner = inner;
            RegisterComponents();
        }

        public bool MovedBeforeAsked { get; private set; }

        public override Tensor forward(Tensor input) => _inner.forward(input);

        public override IEnumerable<TorchSharp.Modules.Parameter> parameters(bool recurse = true)
        {
            _asked = true;
            return base.parameters(recurse);
        }

        protected override nn.Module _to(Device device, ScalarType dtype, bool nonBlocking) => Moved(base._to(device, dtype, nonBlocking));

        protected override nn.Module _to(TorchSharp.DeviceType deviceType, int deviceIndex, bool nonBlocking) => Moved(base._to(deviceType, deviceIndex, nonBlocking));

        private nn.Module Moved(nn.Module result)
        {
            MovedBeforeAsked = !_asked;
            return result;
        }
    }
}

using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>The gradient of the quiz loss in the teacher's weights, against finite differences of whole rounds, in float64.</summary>
[Category("NoCulture")]
public sealed class BilevelRoundTests
{
    private static readonly InputStatistics Unscaled = new([0], [1]);

    private static readonly Dictionary<string, Case> Cases = new()
    {
        ["one step"] = new(NetworkSpec.Mlp(6), NetworkSpec.Mlp(7)),
        ["three steps"] = new(NetworkSpec.Mlp(6), NetworkSpec.Mlp(7)) { Steps = 3 },
        ["squared differences"] = new(NetworkSpec.Mlp(6), NetworkSpec.Mlp(7)) { Soft = 0.25 * new LogitMatchingLoss(), Steps = 2 },
        ["no hidden layer"] = new(NetworkSpec.Mlp(), NetworkSpec.Mlp()),
        ["the teacher's term alone"] = new(NetworkSpec.Mlp(6), NetworkSpec.Mlp(7)) { Labels = 0 },
        ["example weights"] = new(NetworkSpec.Mlp(6), NetworkSpec.Mlp(7)) { Weighted = true, Steps = 2 },
        ["missing labels"] = new(NetworkSpec.Mlp(6), NetworkSpec.Mlp(7)) { LabelsMissing = true, Steps = 2 },
        ["mixed labels"] = new(NetworkSpec.Mlp(6), NetworkSpec.Mlp(7)) { Mixed = true, Steps = 2 },
        ["dropout"] = new(new Dropping(), NetworkSpec.Mlp(7)) { Steps = 2 },
        ["dropout, squared differences"] = new(new Dropping(), NetworkSpec.Mlp(7)) { Soft = 0.1 * new LogitMatchingLoss(LogitReduction.HalfSumPerRow, centered: true) },
        ["batch normalization"] = new(NetworkSpec.ResNet(8, 2, 3, 4), NetworkSpec.ResNet(8, 2, 2, 3)) { Pictures = true },
        ["batch normalization, two steps"] = new(NetworkSpec.ResNet(8, 2, 3, 4), NetworkSpec.ResNet(8, 2, 2, 3)) { Pictures = true, Steps = 2 },
    };

    public static IEnumerable<string> Names => Cases.Keys;

    [TestCaseSource(nameof(Names))]
    public void The_gradient_agrees_with_finite_differences_of_whole_rounds(string name)
    {
        using var scope = NewDisposeScope();
        using var setting = new Setting(Cases[name]);
        setting.Run();
        var gradients = setting.Teacher.Parameters.Select(p => (p.Parameter, Values: Near.Values(p.Parameter.grad!))).ToList();
        var largest = gradients.Max(g => g.Values.Max(Math.Abs));
        Assert.That(largest, Is.GreaterThan(1e-8), "there is a gradient");
        var random = new Random(3);
        foreach (var (parameter, values) in gradients)
        {
            foreach (var at in Enumerable.Range(0, 3).Select(_ => random.Next(values.Length)))
                Assert.That(values[at], Is.EqualTo(setting.Difference(parameter, at)).Within(1e-5 * largest), name);
        }
    }

    [TestCaseSource(nameof(Names))]
    public void A_round_leaves_the_student_and_the_generator_of_the_process_as_they_were(string name)
    {
        using var scope = NewDisposeScope();
        using var setting = new Setting(Cases[name]);
        var teacher = Runs.State(setting.Teacher.Network);
        var (before, generator) = (Runs.State(setting.Student), Near.Values(random.get_rng_state()));
        setting.Run();
        Assert.That(Runs.State(setting.Student), Is.EqualTo(before), "weights and running statistics");
        Assert.That(setting.Student.parameters().Select(p => p.grad), Has.All.Null);
        Assert.That(Near.Values(random.get_rng_state()), Is.EqualTo(generator));
        Assert.That(Runs.State(setting.Teacher.Network), Is.EqualTo(teacher), "the teacher has a gradient, and its weights and statistics are those before");
    }

    [Test]
    public void Steps_of_the_teacher_against_a_student_that_stands_still_lower_the_loss_of_the_quiz()
    {
        using var scope = NewDisposeScope();
        using var setting = new Setting(Cases["one step"] with { Rate = 0.5, Labels = 0 });
        List<double> losses = [];
        for (var step = 0; step < 60; step++)
        {
            losses.Add(setting.Run());
            using var noGrad = no_grad();
            foreach (var (_, parameter) in setting.Teacher.Parameters)
                parameter.sub_(parameter.grad!.MultiplyBy(2));
        }

        Assert.That(losses.Zip(losses.Skip(1)).All(pair => pair.Second < pair.First), Is.True, "in each step");
        Assert.That(losses[^1], Is.LessThan(losses[0] - 0.05));
    }

    [Test]
    public void Logits_of_80_and_a_batch_of_one_row_give_finite_gradients()
    {
        using var scope = NewDisposeScope();
        foreach (var rows in new[] { 1, 2, 6 })
        {
            using var setting = new Setting(Cases["one step"] with { Rows = rows });
            using (no_grad())
            {
                setting.Teacher.Network.Head.Bias.copy_(tensor(new[] { 80.0, -80, 0 }));
                setting.Student.Head.Bias.copy_(tensor(new[] { -80.0, 80, 0 }));
            }

            Assert.That(setting.Run(), Is.GreaterThan(0).And.LessThan(double.PositiveInfinity));
            Assert.That(setting.Teacher.Parameters.SelectMany(p => Near.Values(p.Parameter.grad!)), Has.All.Matches<double>(double.IsFinite));
        }
    }

    [Test]
    public void A_student_whose_backward_pass_cannot_be_differentiated_is_named()
    {
        using var scope = NewDisposeScope();
        using var setting = new Setting(new Case(new Distant(), NetworkSpec.Mlp(7)));
        Assert.That(() => setting.Run(), Throws.InvalidOperationException.With.Message.StartsWith(
            "The student's backward pass cannot be differentiated again, which training its teacher needs: "));
    }

    private sealed record Case(NetworkSpec Student, NetworkSpec Teacher)
    {
        public DistillationLoss Soft { get; init; } = new KdLoss(3);

        public int Steps { get; init; } = 1;

        public int Rows { get; init; } = 6;

        public double Labels { get; init; } = 0.3;

        public double Rate { get; init; } = 0.2;

        public bool Weighted { get; init; }

        public bool LabelsMissing { get; init; }

        public bool Mixed { get; init; }

        public bool Pictures { get; init; }
    }

    /// <summary>Networks in float64 with the batches of a round.</summary>
    private sealed class Setting : IDisposable
    {
        private readonly Case _case;
        private readonly InMemoryRows _set;
        private readonly BilevelRound _round;

        public Setting(Case @case)
        {
            _case = @case;
            _set = @case.Pictures ? Toy.Images() : Toy.Clouds();
            if (@case.LabelsMissing)
            {
                using var all = _set;
                _set = Toy.Set(all.AllFeatures(), [.. all.Labels.data<long>().Select((label, row) => row % 3 == 0 ? label : IRowSource.MissingLabel)], all.Shape, all.Classes());
            }

            Student = Build(@case.Student, 1);
            Teacher = new TrainableTeacher(Build(@case.Teacher, 9), null);
            Student.TrainOnly(NetworkPart.Whole);
            Batches = [.. Enumerable.Range(0, @case.Steps).Select(step => GetBatch(step, true))];
            Quiz = [GetBatch(7, false), GetBatch(8, false)];
            _round = new BilevelRound(Student, Teacher, [.. Student.parameters()], (@case.Labels * new CrossEntropyLoss()) + (0.7 * @case.Soft), new CrossEntropyLoss());
        }

        public Network Student { get; }

        public TrainableTeacher Teacher { get; }

        public IReadOnlyList<Batch> Batches { get; }

        public IReadOnlyList<Batch> Quiz { get; }

        public double Run() => _round.ComputeTeacherGradient(Batches, Quiz, _case.Rate, 1).item<double>();

        /// <summary>The central difference of the quiz loss by one weight of the teacher.</summary>
        public double Difference(Tensor parameter, int at)
        {
            // So small that no ReLU switches in between.
            const double Step = 1e-6;
            var (up, down) = (Shifted(Step), Shifted(-Step));
            return (up - down) / (2 * Step);

            double Shifted(double by)
            {
                Shift(by);
                var value = Run();
                Shift(-by);
                return value;
            }

            void Shift(double by)
            {
                using var noGrad = no_grad();
                var flat = parameter.view(-1);
                flat[at] = flat[at] + by;
            }
        }

        public void Dispose()
        {
            _round.Dispose();
            Teacher.Dispose();
            Student.Dispose();
            _set.Dispose();
        }

        private Batch GetBatch(int number, bool isTrained)
        {
            var positions = arange(number * 2, (number * 2) + _case.Rows);
            var batch = Batch.Gather(_set, positions);
            var classes = _set.Classes();
            return batch with
            {
                Features = batch.Features.to(float64),
                Weights = _case.Weighted ? positions.to(float64).Add(1) : null,
                SoftLabels = isTrained && _case.Mixed ? nn.functional.one_hot(batch.Labels, classes).to(float64).MultiplyBy(0.7).Add(0.3 / classes) : null,
            };
        }

        private Network Build(NetworkSpec spec, int seed)
        {
            var network = spec.Build(new NetworkInput(_set.Shape, _set.IsByte, Unscaled), _set.Classes(), seed);
            network.to(float64);
            // Untrained normalizations have values of exactly 0, where a ReLU has no derivative.
            using var generator = new Generator((ulong)seed);
            using var noGrad = no_grad();
            foreach (var normalization in network.modules().OfType<BatchNormalization>())
                normalization.PerturbWeights(generator);
            return network;
        }
    }

    /// <summary>A layer and dropout of TorchSharp's, which draws from the generator of the process.</summary>
    private sealed record Dropping : NetworkSpec
    {
        public override string Name => "dropping";

        protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator) =>
            new([new Linear(shape.Length, 8, generator), new Relu(), new ModuleBlock(nn.Dropout(0.5), (_, input) => input)], [], 8);
    }

    /// <summary>Distances of a kind whose backward pass libtorch cannot differentiate.</summary>
    private sealed record Distant : NetworkSpec
    {
        public override string Name => "distant";

        protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator) =>
            new([new Linear(shape.Length, 4, generator), new ModuleBlock(new Distances(), (_, input) => input)], [], 5);
    }

    private sealed class Distances : nn.Module<Tensor, Tensor>
    {
        private readonly Tensor _centres = ones(5, 4, float64);

        public Distances()
            : base("distances") => RegisterComponents();

        public override Tensor forward(Tensor input) => cdist(input, _centres, 1);
    }
}

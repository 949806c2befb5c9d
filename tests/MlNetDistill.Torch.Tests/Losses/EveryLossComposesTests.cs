using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>
/// Every loss in training with what any loss can be combined with: a sum with another, a warm-up, a teacher cache, a route of teachers. Each result is compared with one
/// that is put together from simpler runs.
/// </summary>
[Category("NoCulture")]
public sealed class EveryLossComposesTests
{
    private const int Rows = 24, Classes = 4;
    private static readonly NetworkSpec Spec = NetworkSpec.ResNet(8, 3, 3, 4);
    private InMemoryRows _set = null!;
    private Network[] _teachers = null!;

    public static IEnumerable<string> All => EveryLoss.All.Keys;

    // Smoothed labels are compared with the student alone.
    public static IEnumerable<string> Taught => EveryLoss.All.Where(loss => loss.Value.TeacherNeeds != ModelOutputs.None).Select(loss => loss.Key);

    [OneTimeSetUp]
    public void MakeTeachers()
    {
        using var generator = new Generator(4);
        using var scope = NewDisposeScope();
        var labels = Enumerable.Range(0, Rows).Select(i => (long)(i % Classes)).ToArray();
        var features = randn([Rows, 1, 8, 8], generator: generator).add(tensor(labels).to(float32).reshape(Rows, 1, 1, 1));
        _set = Toy.Set(features, labels, InputShape.Image(1, 8, 8), Classes);
        _teachers = [.. new[] { 21, 22 }.Select(seed => Runs.Student(Spec, _set, seed))];
        foreach (var teacher in _teachers)
        {
            Runs.Train(teacher, _set, Runs.Stage(2));
            teacher.eval();
        }
    }

    [OneTimeTearDown]
    public void DisposeTeachers()
    {
        _set.Dispose();
        foreach (var teacher in _teachers)
            teacher.Dispose();
    }

    [TestCaseSource(nameof(All))]
    public void A_step_on_a_weighted_sum_is_the_weighted_sum_of_the_steps_on_its_terms(string name)
    {
        var labels = Step(new CrossEntropyLoss());
        var alone = Step(EveryLoss.All[name]);
        var both = Step((0.3 * new CrossEntropyLoss()) + (0.7 * EveryLoss.All[name]));
        var (term, value) = alone.Losses.Single();
        Near.Value(both.Losses["crossEntropy"], labels.Losses.Values.Single(), 1e-6, 1e-6, "cross-entropy");
        Near.Value(both.Losses[term], value, 1e-6, 1e-5, term);
        Near.Value(both.Losses["total"], (0.3 * both.Losses["crossEntropy"]) + (0.7 * value), 1e-6, 1e-5, "total");
        double[] expected = [.. labels.Step.Zip(alone.Step, (a, b) => (0.3 * a) + (0.7 * b))];
        var error = Math.Sqrt(both.Step.Zip(expected, (a, b) => (a - b) * (a - b)).Sum());
        Assert.That(error, Is.LessThan(1e-4 * Norm(expected)), "the step");
        Assert.That(Norm(alone.Step), Is.GreaterThan(0), "the loss trains the student");
    }

    [TestCaseSource(nameof(All))]
    public void The_first_of_four_epochs_of_a_warm_up_has_a_quarter_of_the_weight(string name)
    {
        double[] Trained(DistillationLoss loss) => Train([Stage(loss, Live(0))], batchSize: 8);
        var warmed = Trained(new CrossEntropyLoss() + EveryLoss.All[name].WithWarmup(4));
        Assert.That(warmed, Is.EqualTo(Trained(new CrossEntropyLoss() + (0.25 * EveryLoss.All[name]))));
        Assert.That(warmed, Is.Not.EqualTo(Trained(new CrossEntropyLoss() + EveryLoss.All[name])));
    }

    [TestCaseSource(nameof(Taught))]
    public void A_teacher_whose_outputs_are_cached_makes_the_student_of_one_that_is_queried_in_each_step(string name)
    {
        var loss = new CrossEntropyLoss() + EveryLoss.All[name];
        using var cached = new NetworkTeacher(_teachers[0], new TeacherCaching(
            new CacheStore(new TeacherCacheOptions { KeepStageFeatures = true }, Path.GetTempPath(), _ => { }, _ => { }, CancellationToken.None), 10));
        cached.Begin(_set, loss.TeacherNeeds, null);
        Assert.That(cached.HasCachedOutputs, Is.True);
        var looked = Train([Stage(loss, cached, epochs: 2)], batchSize: 8);
        var live = Train([Stage(loss, Live(0), epochs: 2)], batchSize: 8);
        // Batches of another size are rounded in another way.
        Assert.That(looked, Is.EqualTo(live).Within(2e-4));
        Assert.That(looked, Is.Not.EqualTo(Train([Stage(loss, Live(1), epochs: 2)], batchSize: 8)).Within(2e-4), "another teacher makes another student");
    }

    [TestCaseSource(nameof(All))]
    public void A_route_with_any_loss_is_one_stage_after_another_with_each_teacher(string name)
    {
        var method = DistillationMethod.FromLoss("any", new CrossEntropyLoss() + EveryLoss.All[name]);
        Anchor[] route = [new("first", 1, Live(0)), new("last", 2, Live(1))];
        double[] Trained(DistillationMethod rco, params Anchor[] anchors)
        {
            using var student = Runs.Student(Spec, _set);
            new MethodRun { Epochs = 2, BatchSize = 8, Optimizer = Optimizer.Sgd(0.02), Schedule = LearningRateSchedule.Constant() }.Train(student, _set, rco, anchors);
            return Runs.State(student);
        }

        var loss = new CrossEntropyLoss() + EveryLoss.All[name];
        Assert.That(Trained(DistillationMethod.Rco(method), route), Is.EqualTo(Train([Stage(loss, Live(0), 2), Stage(loss, Live(1), 2)], batchSize: 8)));
        Assert.That(Trained(DistillationMethod.Rco(method), route[1]), Is.EqualTo(Trained(method, route)), "a route of one teacher is the method with it, and without RCO the last counts");
        var changing = new Changing([.. _teachers]);
        Assert.That(Trained(DistillationMethod.Rco(method, schedule: RcoSchedule.OneStage), route), Is.EqualTo(Train([Stage(loss, changing, 2)], batchSize: 8)));
    }

    private static double Norm(double[] values) => Math.Sqrt(values.Sum(value => value * value));

    private Changing Live(int teacher) => new([_teachers[teacher]]);

    private static Stage Stage(DistillationLoss loss, StageTeacher teacher, int epochs = 1) => Runs.Stage(epochs, loss, teacher, optimizer: Optimizer.Sgd(0.02));

    private (IReadOnlyDictionary<string, double> Losses, double[] Step) Step(DistillationLoss loss)
    {
        using var student = Runs.Student(Spec, _set);
        using var scope = NewDisposeScope();
        var before = student.named_parameters().Select(p => p.parameter.detach().clone()).ToList();
        var (reports, _) = Runs.Train(student, _set, Runs.Stage(1, loss, Live(0), Rows, Optimizer.Sgd(0.01, momentum: 0, nesterov: false, weightDecay: 0)));
        return (reports.Single().Losses, [.. student.named_parameters().Zip(before, (p, old) => Near.Values(p.parameter.detach().sub(old))).SelectMany(values => values)]);
    }

    private double[] Train(IEnumerable<Stage> stages, int batchSize)
    {
        using var student = Runs.Student(Spec, _set);
        using var all = DataSplit.All(_set);
        using var loop = new TrainingLoop(student, new MulticlassTask(Classes), _set, all, new Seeds(1), "student", new LoopSettings());
        loop.Run(stages.Select(stage => stage with { Sampler = new ShuffledSampler(batchSize) }));
        return Runs.State(student);
    }

    /// <summary>Networks that are queried in each step; where there are two, the second from epoch 2 on.</summary>
    private sealed class Changing(IReadOnlyList<Network> networks) : StageTeacher
    {
        private Network _present = networks[0];

        public override OutputShapes Shapes { get; } = networks[0].GetOutputShapes();

        public override void BeginEpoch(int epoch) => _present = networks[Math.Min(epoch, networks.Count) - 1];

        public override NetworkOutput Outputs(Batch batch, ModelOutputs wanted)
        {
            using var noGrad = no_grad();
            return _present.Forward(batch.Features, wanted);
        }
    }
}

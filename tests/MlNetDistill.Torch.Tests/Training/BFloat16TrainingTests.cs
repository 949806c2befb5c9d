using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Training in bfloat16.</summary>
[Category("NoCulture")]
public sealed class BFloat16TrainingTests
{
    private static readonly NetworkSpec[] Specs = [NetworkSpec.Mlp(16), NetworkSpec.ResNet(8, 4, 8, 16)];

    [TestCaseSource(nameof(Specs))]
    public void The_same_seed_gives_the_same_student_bit_for_bit_and_another_one_than_in_32_bit_floats(NetworkSpec spec)
    {
        var student = Trained(spec, TrainingPrecision.BFloat16);
        Assert.That(Trained(spec, TrainingPrecision.BFloat16), Is.EqualTo(student));
        Assert.That(Trained(spec, TrainingPrecision.Float32), Is.Not.EqualTo(student));
    }

    /// <summary>A learning rate of 1e-4 moves weights by less than a unit of bfloat16: without weights of 32 bits they would stay as they are.</summary>
    [Test]
    public void Steps_too_small_for_bfloat16_add_up()
    {
        using var set = Toy.Clouds();
        using var network = Runs.Student(NetworkSpec.Mlp(16), set);
        var before = Near.Values(network.Head.Weight);
        Runs.Train(network, set, Runs.Stage(1, optimizer: Optimizer.Sgd(1e-4, 0, false, 0)), settings: new LoopSettings { Precision = TrainingPrecision.BFloat16 });
        var after = Near.Values(network.Head.Weight);
        Assert.That(after.Zip(before).Count(pair => pair.First != pair.Second), Is.GreaterThan(after.Length / 2));
        Assert.That(after.Count(value => Rounded.Value((float)value) != (float)value), Is.GreaterThan(after.Length / 2));
    }

    [Test]
    public void Projections_of_losses_and_stages_that_train_a_part_work()
    {
        using var set = Toy.Images();
        using var network = Runs.Student(NetworkSpec.ResNet(8, 4, 8, 16), set);
        using var teacher = Runs.Student(NetworkSpec.ResNet(8, 8, 16, 32), set, seed: 99);
        using var live = new NetworkTeacher(teacher, TeacherCaching.InMemory(16));
        var stage = Runs.Stage(2, new HintLoss((0, 0)), live, optimizer: Optimizer.AdamW()) with { Trains = new NetworkPart(null, 0) };
        var (reports, _) = Runs.Train(network, set, stage, settings: new LoopSettings { Precision = TrainingPrecision.BFloat16 });
        Assert.That(reports[^1].Losses.Values, Has.All.Matches<double>(double.IsFinite));
        Assert.That(reports[^1].Losses.Values.Sum(), Is.LessThan(reports[0].Losses.Values.Sum()));
    }

    [Test]
    public void A_loss_that_overflows_is_reported_as_in_32_bit_floats()
    {
        using var set = Toy.Clouds();
        using var network = Runs.Student(NetworkSpec.Mlp(16), set);
        Assert.That(
            () => Runs.Train(network, set, Runs.Stage(20, optimizer: Optimizer.Sgd(1e20, 0.9, false, 0)), settings: new LoopSettings { Precision = TrainingPrecision.BFloat16 }),
            Throws.TypeOf<NonFiniteLossException>());
    }

    /// <summary>The mean of three seeds on 1,000 other rows, of which float students get nine tenths right.</summary>
    [TestCaseSource(nameof(Specs))]
    public void Students_are_as_accurate_as_in_32_bit_floats(NetworkSpec spec)
    {
        using var training = Glyphs(300, seed: 1);
        using var others = Glyphs(1000, seed: 2);
        double Accuracy(TrainingPrecision precision) => Enumerable.Range(1, 3).Average(seed =>
        {
            using var network = Runs.Student(spec, training, seed);
            Runs.Train(network, training, Runs.Stage(8, optimizer: Optimizer.AdamW(0.01)), seed, settings: new LoopSettings { Precision = precision });
            return Runs.Accuracy(network, others);
        });
        var expected = Accuracy(TrainingPrecision.Float32);
        Assert.That(expected, Is.InRange(0.7, 0.995), "neither too easy nor too hard to tell a difference");
        Assert.That(Accuracy(TrainingPrecision.BFloat16), Is.EqualTo(expected).Within(0.03));
    }

    /// <summary>Five patterns of black and white pixels under noise.</summary>
    private static InMemoryRows Glyphs(int rows, int seed)
    {
        const int Classes = 5, Side = 8;
        using var scope = NewDisposeScope();
        using var patterns = new Generator(77);
        using var noise = new Generator((ulong)seed);
        var glyphs = rand([Classes, 1, Side, Side], float32, CPU, generator: patterns).round();
        long[] labels = [.. Enumerable.Range(0, rows).Select(i => (long)(i % Classes))];
        var images = glyphs.index_select(0, tensor(labels)).Add(randn([rows, 1, Side, Side], float32, CPU, generator: noise).MultiplyBy(1.2));
        return Toy.Set(images, labels, InputShape.Image(1, Side, Side), Classes);
    }

    private static double[] Trained(NetworkSpec spec, TrainingPrecision precision)
    {
        using var set = spec.NeedsImages ? Toy.Images() : Toy.Clouds();
        using var network = Runs.Student(spec, set, 5);
        using var teacher = Runs.Student(NetworkSpec.Mlp(8), set, seed: 99);
        using var cached = Runs.Cached(teacher, set);
        var loss = (0.5 * new CrossEntropyLoss()) + (0.5 * new KdLoss(4));
        Runs.Train(network, set, Runs.Stage(3, loss, cached, optimizer: Optimizer.AdamW()), 5, null, new LoopSettings { GradientClipping = 1, Precision = precision });
        return Runs.State(network);
    }
}

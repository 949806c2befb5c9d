using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Same seed, same data, same machine: the same student, bit for bit - and nothing of the application's randomness moves.</summary>
public sealed class DeterminismTests
{
    private static readonly NetworkSpec[] Specs = [NetworkSpec.Mlp(16), NetworkSpec.ResNet(8, 4, 8, 16)];

    [TestCaseSource(nameof(Specs))]
    public void The_same_seed_gives_the_same_student_bit_for_bit(NetworkSpec spec) => Assert.That(Trained(spec, 5), Is.EqualTo(Trained(spec, 5)));

    [Test]
    public void The_same_seed_gives_the_same_student_on_two_threads_as_well()
    {
        set_num_threads(2);
        try
        {
            Assert.That(Trained(Specs[1], 5, epochs: 1), Is.EqualTo(Trained(Specs[1], 5, epochs: 1)));
        }
        finally
        {
            set_num_threads(1);
        }
    }

    [TestCaseSource(nameof(Specs))]
    public void Another_seed_gives_another_student(NetworkSpec spec) => Assert.That(Trained(spec, 6), Is.Not.EqualTo(Trained(spec, 5)));

    [Test]
    public void Another_seed_shuffles_differently_even_from_the_same_weights() =>
        Assert.That(Trained(Specs[0], 5, shuffling: 6), Is.Not.EqualTo(Trained(Specs[0], 5)));

    [TestCaseSource(nameof(Specs))]
    public void Training_draws_nothing_from_the_process_wide_generator(NetworkSpec spec)
    {
        using var scope = NewDisposeScope();
        manual_seed(5);
        var undisturbed = Near.Values(randn(8));
        manual_seed(5);
        _ = Trained(spec, 7);
        Assert.That(Near.Values(randn(8)), Is.EqualTo(undisturbed));
    }

    [Test]
    public void What_the_application_draws_does_not_move_training()
    {
        manual_seed(1);
        var first = Trained(Specs[0], 7);
        manual_seed(2);
        Assert.That(Trained(Specs[0], 7), Is.EqualTo(first));
    }

    private static double[] Trained(NetworkSpec spec, int seed, int? shuffling = null, int epochs = 3)
    {
        using var set = spec.NeedsImages ? Toy.Images() : Toy.Clouds();
        using var network = Runs.Student(spec, set, seed);
        using var teacher = Runs.Student(NetworkSpec.Mlp(8), set, seed: 99);
        using var cached = Runs.Cached(teacher, set);
        var loss = (0.5 * new CrossEntropyLoss()) + (0.5 * new KdLoss(4));
        var settings = new LoopSettings { GradientClipping = 1 };
        Runs.Train(network, set, Runs.Stage(epochs, loss, cached, optimizer: Optimizer.AdamW()), shuffling ?? seed, null, settings);
        return Runs.State(network);
    }
}

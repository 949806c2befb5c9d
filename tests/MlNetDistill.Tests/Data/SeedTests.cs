using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Data;

public sealed class SeedTests
{
    [Test]
    public void The_same_seed_in_the_options_gives_the_same_student_bit_for_bit() =>
        Assert.That(ScoresOf(contextSeed: 2, seed: 7), Is.EqualTo(ScoresOf(contextSeed: 1, seed: 7)));

    [Test]
    public void The_same_seed_of_the_context_gives_the_same_student_bit_for_bit() =>
        Assert.That(ScoresOf(contextSeed: 3, seed: null), Is.EqualTo(ScoresOf(contextSeed: 3, seed: null)));

    [Test]
    public void Another_seed_in_the_options_gives_another_student() =>
        Assert.That(ScoresOf(contextSeed: 1, seed: 8), Is.Not.EqualTo(ScoresOf(contextSeed: 1, seed: 7)));

    [Test]
    public void Another_seed_of_the_context_gives_another_student() =>
        Assert.That(ScoresOf(contextSeed: 4, seed: null), Is.Not.EqualTo(ScoresOf(contextSeed: 3, seed: null)));

    [Test]
    public void What_the_application_draws_from_torch_makes_no_difference()
    {
        TorchSharp.torch.manual_seed(1);
        var before = ScoresOf(contextSeed: 1, seed: 7);
        TorchSharp.torch.manual_seed(2);
        Assert.That(ScoresOf(contextSeed: 1, seed: 7), Is.EqualTo(before));
    }

    [Test]
    public void The_seed_of_a_run_is_kept_and_gives_the_student_again()
    {
        var context = Rows.Context();
        var view = context.Keyed(Rows.Points());
        var first = context.Fit(Rows.Quick() with { Seed = null, Epochs = 2 }, view);
        var again = context.Fit(Rows.Quick() with { Seed = first.Model.Seed, Epochs = 2 }, view);
        Assert.That(again.Scores(view), Is.EqualTo(first.Scores(view)));
    }

    private static float[][] ScoresOf(int contextSeed, int? seed)
    {
        var context = Rows.Context(contextSeed);
        var view = context.Keyed(Rows.Points());
        var teacher = Teacher.Train(NetworkSpec.Mlp(12), epochs: 2);
        return context.Fit(Rows.Quick(teacher) with { Seed = seed, Epochs = 2, ValidationFraction = 0.2 }, view).Scores(view);
    }
}

using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill.Tests;

/// <summary>Taps from output to input, taps that are given twice, and neighbours that a batch does not have.</summary>
public sealed class TapOrderTests
{
    [Test]
    public void Taps_from_output_to_input_are_refused() => Assert.Multiple(() =>
    {
        Assert.That(() => new LipschitzLoss([(1, 0), (0, 1)]), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith("Give the taps from input to output; those of the student fall: (1, 0), (0, 1)."));
        Assert.That(() => new MarginFeatureLoss([(0, 2), (1, 1)]), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith("Give the taps from input to output; those of the teacher fall: (0, 2), (1, 1)."));
        Assert.That(
            DistillationMethod.Lipschitz([new StagePair(0, 2), new StagePair(1, 1)]).Validate(),
            Is.EqualTo(new[] { "Lipschitz's taps must go from input to output; those of the teacher fall: 0←2, 1←1." }));
        Assert.That(DistillationMethod.Sskd([new StagePair(0, 2), new StagePair(1, 1)]).Validate(), Is.EqualTo(new[] { "The teacher's taps must not fall from stage to stage; were 2, 1." }));
        Assert.That(DistillationMethod.Sskd([new StagePair(0, 1), new StagePair(1, 1)]).Validate(), Is.Empty, "two stages of a student for one of its teacher");
    });

    [Test]
    public void A_pair_of_taps_that_counts_twice_is_warned_of()
    {
        (int, int)[] twice = [(0, 1), (0, 1)];
        foreach (var loss in new DistillationLoss[] { new HintLoss(twice), new AttentionTransferLoss(twice), new GraphKdLoss(twice), new MarginFeatureLoss(twice), new LipschitzLoss(twice) })
        {
            Assert.That(
                loss.Warnings(3), Is.EqualTo(new[] { $"The loss '{loss.Name}' has the pair of taps (0, 1) (student, teacher) 2 times, so it counts as often. Give each pair once, unless this is meant." }));
        }

        Assert.That(new LipschitzLoss(new MarginFeatureLoss(twice)).Warnings(3), Is.Empty, "the margin feature loss says so");
        Assert.That(new HintLoss((0, 1), (1, 1)).Warnings(3), Is.Empty);
    }

    [TestCase(15, true)]
    [TestCase(14, false)]
    public void As_many_neighbours_as_a_batch_has_rows_are_warned_of(int neighbours, bool warned)
    {
        using var set = Toy.Clouds(rows: 48);
        using var teacher = Runs.Student(NetworkSpec.Mlp(8), set);
        using var student = Runs.Student(NetworkSpec.Mlp(6), set);
        List<string> warnings = [];
        Runs.Train(
            student, set, Runs.Stage(1, new GraphKdLoss(neighbours: neighbours), MethodRun.Anchor(teacher).Teacher, batchSize: 16), settings: new() { ScoringBatchSize = 16, Warn = warnings.Add });
        Assert.That(warnings, warned
            ? Is.EqualTo(new[] { "The loss 'graphKd' compares the edges to the 15 nearest rows, and a batch of 16 rows has 15 others: all edges are compared. Give fewer neighbours, or null for all." })
            : Is.Empty);
    }

    [Test]
    public void A_loss_that_uses_the_projections_of_another_needs_it_in_its_sum()
    {
        using var set = Toy.Clouds(rows: 48);
        using var teacher = Runs.Student(NetworkSpec.Mlp(8, 8), set);
        using var student = Runs.Student(NetworkSpec.Mlp(6, 6), set);
        var margin = new MarginFeatureLoss([(0, 0), (1, 1)]);
        void Train(DistillationLoss loss) => Runs.Train(student, set, Runs.Stage(1, loss, MethodRun.Anchor(teacher).Teacher, batchSize: 16));
        foreach (var loss in new[] { new LipschitzLoss(margin), new LipschitzLoss(margin) + new MarginFeatureLoss([(0, 0), (1, 1)]) })
        {
            Assert.That(() => Train(loss), Throws.InvalidOperationException.With.Message.EqualTo(
                "Stage 'stage': Its loss term 'lipschitz' uses the projections of a loss 'marginFeature' that is not a term of the same sum: add that very loss to the sum, or give 'lipschitz' taps of its own."));
        }

        Assert.That(() => Train(new LipschitzLoss(margin) + (0.001 * margin)), Throws.Nothing);
        Assert.That($"{new LipschitzLoss(margin)}", Does.Contain("marginFeature"));
    }
}

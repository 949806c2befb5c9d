using MlNetDistill.Losses;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Taps and the features that they name: what is refused with which words, and which features stay as they are.</summary>
public sealed class TapsOfALossTests
{
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    [Test]
    public void No_taps_at_all_are_refused_by_the_parameter() => Assert.Multiple(() =>
    {
        Assert.That(() => new HintLoss(null!), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("taps"));
        Assert.That(() => new AttentionTransferLoss(null!), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("taps"));
        Assert.That(() => new MarginFeatureLoss(null!), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("taps"));
    });

    [Test]
    public void Taps_that_fall_are_told_whose_they_are() => Assert.Multiple(() =>
    {
        Assert.That(TapFeatures.Fall([(0, 0), (1, 2), (1, 2), (3, 2)]), Is.Null, "one may come twice");
        Assert.That(TapFeatures.Fall([(0, 0), (2, 1), (1, 2)]), Is.EqualTo("student"));
        Assert.That(TapFeatures.Fall([(0, 0), (1, 2), (2, 1)]), Is.EqualTo("teacher"));
        Assert.That(
            () => new MarginFeatureLoss([(0, 0), (2, 1), (1, 2)]),
            Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith("Give the taps from input to output; those of the student fall: (0, 0), (2, 1), (1, 2)."));
        Assert.That(
            () => new MarginFeatureLoss([(0, 2), (1, 1)]),
            Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith("Give the taps from input to output; those of the teacher fall: (0, 2), (1, 1)."));
    });

    [Test]
    public void A_pair_of_taps_is_warned_of_once_if_it_is_given_more_often() => Assert.Multiple(() =>
    {
        var loss = new StageFeatureLoss(0, 0);
        Assert.That(TapFeatures.WarningsOf(null, loss), Is.Empty);
        Assert.That(TapFeatures.WarningsOf([(0, 1), (1, 1)], loss), Is.Empty);
        Assert.That(TapFeatures.WarningsOf([(0, 1), (1, 2), (0, 1), (0, 1)], loss).Single(), Does.StartWith("The loss 'stageFeature' has the pair of taps (0, 1) (student, teacher) 3 times"));
    });

    [Test]
    public void A_tap_beyond_the_last_is_refused_on_both_sides_in_training_and_before()
    {
        using var generator = new Generator(1);
        var loss = new StageFeatureLoss(2, 0);
        const string Message = "The loss 'stageFeature' reads tap 2 of the student, which has 2 stage features (taps count from 0). Choose a smaller tap or a student with more stage features.";
        Assert.That(() => loss.CreateProjections(Shapes.OfStages([3], [3]), Shapes.OfStages([3]), generator), Throws.InvalidOperationException.With.Message.EqualTo(Message));
        Assert.That(() => LossProbe.OnStages(loss, [zeros(2, 3), zeros(2, 3)], [zeros(2, 3)]), Throws.InvalidOperationException.With.Message.EqualTo(Message));
        Assert.That(
            () => new MarginFeatureLoss([(0, 1)], [[-1, -1, -1]]).CreateProjections(Shapes.OfStages([3]), Shapes.OfStages([3]), generator),
            Throws.InvalidOperationException.With.Message.StartsWith("The loss 'marginFeature' reads tap 1 of the teacher, which has 1 stage feature "));
    }

    [Test]
    public void A_vector_against_a_map_is_refused_with_both_shapes()
    {
        using var generator = new Generator(1);
        Assert.That(
            () => new StageFeatureLoss(0, 0).CreateProjections(Shapes.OfStages([7]), Shapes.OfStages([2, 4, 5]), generator),
            Throws.InvalidOperationException.With.Message.Contains("the student's feature [7] with the teacher's [2, 4, 5]"));
    }

    [Test]
    public void Only_the_larger_of_two_maps_is_pooled_and_vectors_never()
    {
        var (map, wide, vector) = (LossProbe.Maps(2, 3, 4, 4, 1), LossProbe.Maps(2, 3, 2, 8, 2), LossProbe.Logits(2, 3, 3));
        Assert.That(TapFeatures.PoolToSameSize(map, vector), Is.EqualTo((map, vector)));
        Assert.That(TapFeatures.PoolToSameSize(vector, map), Is.EqualTo((vector, map)));
        var (pooled, kept) = TapFeatures.PoolToSameSize(map, LossProbe.Maps(2, 3, 2, 2, 4));
        Assert.That((pooled.shape, kept.shape), Is.EqualTo((new long[] { 2, 3, 2, 2 }, new long[] { 2, 3, 2, 2 })));
        Near.Value(pooled[0, 0, 0, 0].item<double>(), Near.Values(map[0, 0].narrow(0, 0, 2).narrow(1, 0, 2)).Average(), 1e-12, 0, "the mean of four");
        var (first, second) = TapFeatures.PoolToSameSize(map, wide);
        Assert.That((first.shape, second.shape), Is.EqualTo((new long[] { 2, 3, 2, 4 }, new long[] { 2, 3, 2, 4 })));
    }

    [Test]
    public void Connectors_of_vectors_have_no_bias_and_features_of_as_many_channels_have_no_connector()
    {
        using var generator = new Generator(1);
        var connectors = new MarginFeatureLoss([(0, 0), (1, 1)]).CreateProjections(Shapes.OfStages([3], [5]), Shapes.OfStages([4], [5]), generator);
        Assert.That(connectors.Single().named_parameters().Select(p => p.name), Is.EqualTo(new[] { "_weight" }));
    }

    [Test]
    public void The_stage_feature_loss_refuses_what_it_cannot_compare_element_by_element() => Assert.Multiple(() =>
    {
        foreach (var reduction in new[] { FeatureReduction.Mean, FeatureReduction.SumPerSample })
        {
            Assert.That(
                () => StageFeatureLoss.Compute(zeros(2, 3), zeros(2, 1), reduction), Throws.ArgumentException.With.Message.StartsWith("The student's values have the shape 2×3, the teacher's 2×1."));
        }

        Assert.That(
            () => new StageFeatureLoss(0, 0, (FeatureReduction)7),
            Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith("The reduction must be Mean or SumPerSample."));
    });
}

using MlNetDistill.Losses;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class MarginFeatureLossTests
{
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    [Test]
    public void A_student_need_not_follow_responses_below_the_margin()
    {
        var teacher = tensor(new[,] { { -5.0, -5, -5, 2 } });
        var student = tensor(new[,] { { -9.0, -1, 0.5, 1 } });
        var margins = tensor(new[] { -2.0, -2, -2, -2 });
        // -9 is below the margin: nothing. -1 and 0.5 are above it: 1² and 2.5². 1 is compared with 2.
        Near.Value(MarginFeatureLoss.Compute(student, teacher, margins).item<double>(), 1 + (2.5 * 2.5) + 1, 1e-12, 0, "loss");
    }

    [Test]
    public void Margins_are_the_means_of_the_negative_values_of_a_channel()
    {
        var teacher = tensor(new[,] { { 1.0, -1, 2 }, { -2, -3, 3 }, { -4, 5, 0 } });
        Assert.That(Near.Values(MarginFeatureLoss.EstimateMargins(teacher)), Is.EqualTo(new double[] { -3, -2, 0 }));
        Assert.That(Near.Values(MarginFeatureLoss.EstimateMargins(teacher, tensor(new[] { 1f, 3, 0 }))), Is.EqualTo(new double[] { -2, -2.5, 0 }));
    }

    [Test]
    public void The_margin_of_a_batch_normalization_is_the_mean_of_its_negative_responses()
    {
        using var generator = new Generator(1);
        double[] weight = [0.5, -1.5, 2], bias = [0.3, -0.7, 1];
        var draws = empty([400_000, 3], dtype: ScalarType.Float64).normal_(0, 1, generator).mul(tensor(weight)).add(tensor(bias));
        var drawn = Near.Values(MarginFeatureLoss.EstimateMargins(draws));
        var computed = MarginFeatureLoss.MarginsOf(tensor(weight), tensor(bias)).Select(m => (double)m).ToArray();
        Near.Array(computed, drawn, 0.01, 0, "margins");
    }

    [Test]
    public void A_channel_of_weight_zero_has_its_bias_as_margin_where_that_is_negative() =>
        Assert.That(MarginFeatureLoss.MarginsOf(zeros(2), tensor(new[] { -1.5f, 2 })), Is.EqualTo(new[] { -1.5f, 0 }));

    [Test]
    public void The_gradient_agrees_with_finite_differences_with_given_margins() => FiniteDifferences.Check(
        new MarginFeatureLoss([(0, 0)], [[-0.5f, -1, 0]]), Outputs.OfStages(LossProbe.Maps(3, 3, 2, 2, 1)), Outputs.OfStages(LossProbe.Maps(3, 3, 4, 4, 2)));

    [Test]
    public void Earlier_taps_count_half_of_the_next()
    {
        Tensor[] student = [LossProbe.Logits(3, 4, 1), LossProbe.Logits(3, 5, 2)];
        Tensor[] teacher = [LossProbe.Logits(3, 4, 3), LossProbe.Logits(3, 5, 4)];
        double One(int tap) => MarginFeatureLoss.Compute(student[tap], teacher[tap]).item<double>();
        Near.Value(LossProbe.OnStages(new MarginFeatureLoss([(0, 0), (1, 1)]), student, teacher).Value, (One(0) / 2) + One(1), 1e-12, 0, "loss");
    }

    [Test]
    public void Margins_that_do_not_fit_are_refused()
    {
        using var generator = new Generator(1);
        Assert.That(() => new MarginFeatureLoss([(0, 0)], [[-1f], [-1f]]), Throws.ArgumentException.With.Message.Contains("for each of the 1 pairs of taps; they were given for 2"));
        Assert.That(() => new MarginFeatureLoss([(0, 0), (1, 1)], [[-1f], null!]), Throws.ArgumentException.With.Message.StartsWith("The margins of a pair of taps are null."));
        Assert.That(() => new MarginFeatureLoss([(0, 0)], [[0.5f]]), Throws.ArgumentException.With.Message.Contains("must be at most 0; one was 0.5"));
        Assert.That(
            () => new MarginFeatureLoss([(0, 0)], [[-1f]]).CreateProjections(Shapes.OfStages([2]), Shapes.OfStages([3]), generator),
            Throws.InvalidOperationException.With.Message.Contains("has 1 margins for tap 0 of the teacher, which has 3 channels"));
        Assert.That(() => MarginFeatureLoss.Compute(ones(2, 3), ones(2, 3), ones(2)), Throws.ArgumentException.With.Message.Contains("The margins must be 3 values"));
    }

    [Test]
    public void Margins_that_fit_every_pair_are_taken()
    {
        using var generator = new Generator(1);
        var loss = new MarginFeatureLoss([(0, 0), (1, 1)], [[-1f, 0], [-0.5f, -1, 0]]);
        Assert.That(loss.CreateProjections(Shapes.OfStages([2], [3]), Shapes.OfStages([2], [3]), generator), Is.Empty);
        Assert.That(
            () => loss.CreateProjections(Shapes.OfStages([2], [3]), Shapes.OfStages([2], [4]), generator),
            Throws.InvalidOperationException.With.Message.Contains("has 3 margins for tap 1 of the teacher, which has 4 channels"));
    }

    [Test]
    public void Arguments_that_do_not_fit_are_refused() => Assert.Multiple(() =>
    {
        using var generator = new Generator(1);
        var loss = new MarginFeatureLoss([(0, 0)]);
        Assert.That(() => MarginFeatureLoss.MarginsOf(zeros(2, 3), zeros(2, 3)), Throws.ArgumentException.With.Message.StartsWith("The shape must be one value for each channel; it is 2×3."));
        Assert.That(() => MarginFeatureLoss.MarginsOf(ones(3), ones(1)), Throws.ArgumentException.With.Message.Contains("the shape 3, the teacher's 1"));
        Assert.That(() => MarginFeatureLoss.EstimateMargins(null!), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("teacher"));
        Assert.That(() => MarginFeatureLoss.Compute(ones(2, 3), ones(1, 3)), Throws.ArgumentException.With.Message.Contains("the shape 2×3, the teacher's 1×3"));
        Assert.That(() => loss.Evaluate(null!), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("inputs"));
        Assert.That(() => loss.CreateProjections(null!, Shapes.OfStages([2]), generator), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("student"));
        Assert.That(() => loss.CreateProjections(Shapes.OfStages([2]), null!, generator), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("teacher"));
    });
}

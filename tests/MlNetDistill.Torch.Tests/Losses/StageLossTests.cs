using MlNetDistill.Losses;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Losses over stage features: hints, the stage-by-stage term, attention transfer.</summary>
public sealed class StageLossTests
{
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    /// <summary>Half, twice, a bit smaller, larger by no factor, higher but narrower, the same size with other channels, and the kernel they need.</summary>
    [TestCase(4, 4, 2, 2, 3)]
    [TestCase(2, 2, 4, 4, 4)]
    [TestCase(4, 4, 3, 3, 2)]
    [TestCase(2, 2, 3, 3, 1)]
    [TestCase(4, 2, 3, 3, 1)]
    [TestCase(3, 3, 3, 3, 1)]
    public void The_gradient_through_a_hint_regressor_agrees_with_finite_differences(int height, int width, int teacherHeight, int teacherWidth, int kernel)
    {
        var (student, teacher) = (LossProbe.Maps(3, 2, height, width, 1), LossProbe.Maps(3, 3, teacherHeight, teacherWidth, 2));
        var regressor = Adapter(new HintLoss((0, 0)), student, teacher);
        Assert.That(regressor.parameters().First().shape[2..], Is.EqualTo(new long[] { kernel, kernel }));
        Check(new HintLoss((0, 0)), student, teacher, regressor);
    }

    [TestCase(4, 4, 2, 2)]
    [TestCase(2, 2, 4, 4)]
    [TestCase(4, 2, 3, 3)]
    [TestCase(3, 3, 3, 3)]
    public void The_gradient_through_a_stage_adapter_agrees_with_finite_differences(int height, int width, int teacherHeight, int teacherWidth)
    {
        var (student, teacher) = (LossProbe.Maps(3, 2, height, width, 3), LossProbe.Maps(3, 4, teacherHeight, teacherWidth, 4));
        var adapter = Adapter(new StageFeatureLoss(0, 0), student, teacher);
        Check(new StageFeatureLoss(0, 0), student, teacher, adapter);
        Assert.That(adapter.parameters().First().shape, Is.EqualTo(new long[] { 4, 2, 1, 1 }));
    }

    [Test]
    public void The_gradient_through_a_matrix_agrees_with_finite_differences_for_vectors()
    {
        var (student, teacher) = (LossProbe.Logits(4, 3, 5), LossProbe.Logits(4, 5, 6));
        var (hint, stage) = (Adapter(new HintLoss((0, 0)), student, teacher), Adapter(new StageFeatureLoss(0, 0), student, teacher));
        Assert.That(hint.named_parameters().Select(p => p.name), Is.EqualTo(new[] { "_weight", "_bias" }), "as in FitNets");
        Assert.That(stage.named_parameters().Select(p => p.name), Is.EqualTo(new[] { "_weight" }), "without bias");
        Check(new HintLoss((0, 0)), student, teacher, hint);
        Check(new StageFeatureLoss(0, 0, FeatureReduction.SumPerSample), student, teacher, stage);
    }

    [Test]
    public void Features_of_one_shape_need_no_adapter()
    {
        using var generator = new Generator(1);
        var shapes = Shapes.OfStages([2, 4, 4], [3, 2, 2], [7]);
        Assert.That(new HintLoss((0, 0), (1, 1), (2, 2)).CreateProjections(shapes, shapes, generator), Is.Empty);
        Assert.That(new StageFeatureLoss(1, 1).CreateProjections(shapes, shapes, generator), Is.Empty);
    }

    [Test]
    public void Only_the_pairs_whose_shapes_differ_have_a_regressor_and_each_finds_its_own()
    {
        var (a, b, c) = (LossProbe.Maps(3, 2, 4, 4, 7), LossProbe.Maps(3, 3, 2, 2, 8), LossProbe.Logits(3, 5, 9));
        Tensor[] teacher = [LossProbe.Maps(3, 4, 4, 4, 10), LossProbe.Maps(3, 3, 2, 2, 11), LossProbe.Logits(3, 6, 12)];
        var loss = new HintLoss((0, 0), (1, 1), (2, 2));
        using var generator = new Generator(2);
        var regressors = loss.CreateProjections(Shapes.FromFeatures(a, b, c), Shapes.FromFeatures(teacher), generator).Select(p => p.to(float64)).ToArray();
        Assert.That(regressors, Has.Length.EqualTo(2));
        var expected = new[]
        {
            LossProbe.OnStages(new HintLoss((0, 0)), [a], [teacher[0]], projections: regressors[0]).Value,
            LossProbe.OnStages(new HintLoss((0, 0)), [b], [teacher[1]]).Value,
            LossProbe.OnStages(new HintLoss((0, 0)), [c], [teacher[2]], projections: regressors[1]).Value,
        };
        Near.Value(LossProbe.OnStages(loss, [a, b, c], teacher, projections: regressors).Value, expected.Average(), 1e-12, 0, "mean over the pairs");
    }

    [Test]
    public void Adapters_start_as_their_generator_says_and_leave_the_applications_alone()
    {
        double[] Draw()
        {
            using var generator = new Generator(3);
            return [.. new HintLoss((0, 0)).CreateProjections(Shapes.OfStages([2, 4, 4]), Shapes.OfStages([3, 2, 2]), generator).Single().parameters().SelectMany(Near.Values)];
        }

        manual_seed(5);
        var untouched = rand(1).item<float>();
        manual_seed(5);
        var first = Draw();
        Assert.That(rand(1).item<float>(), Is.EqualTo(untouched));
        Assert.That(Draw(), Is.EqualTo(first));
    }

    [Test]
    public void Adapters_are_made_for_the_student_and_give_the_teachers_shape()
    {
        foreach (var (from, to) in new[] { (new long[] { 2, 8, 8 }, new long[] { 5, 4, 4 }), ([2, 4, 4], [5, 8, 8]), ([2, 8, 8], [5, 5, 6]), ([3], [9]) })
        {
            using var generator = new Generator(4);
            var regressor = new HintLoss((0, 0)).CreateProjections(Shapes.OfStages(from), Shapes.OfStages(to), generator).Single();
            Assert.That(regressor.call(zeros([3, .. from])).shape[1..], Is.EqualTo(to));
        }
    }

    [Test]
    public void The_summed_stage_loss_is_the_mean_one_times_the_elements_of_a_row()
    {
        var (student, teacher) = (LossProbe.Maps(3, 2, 4, 4, 13), LossProbe.Maps(3, 2, 4, 4, 14));
        var mean = LossProbe.OnStages(new StageFeatureLoss(0, 0), [student], [teacher]).Value;
        Near.Value(LossProbe.OnStages(new StageFeatureLoss(0, 0, FeatureReduction.SumPerSample), [student], [teacher]).Value, 32 * mean, 1e-12, 0, "sum");
        Near.Value(mean, student.sub(teacher).square().mean().item<double>(), 1e-12, 0, "mean");
    }

    [Test]
    public void A_map_against_a_vector_is_refused_with_both_shapes()
    {
        using var generator = new Generator(1);
        foreach (var loss in new DistillationLoss[] { new HintLoss((0, 0)), new StageFeatureLoss(0, 0), new AttentionTransferLoss((0, 0)) })
        {
            Assert.That(
                () => loss.CreateProjections(Shapes.OfStages([2, 4, 4]), Shapes.OfStages([7]), generator),
                Throws.InvalidOperationException.With.Message.EqualTo(
                    $"The loss '{loss.Name}' cannot compare the student's feature [2, 4, 4] with the teacher's [7]: one is a map, the other a vector."));
        }
    }

    [Test]
    public void A_tap_that_does_not_exist_is_refused_with_the_number_there_is()
    {
        using var generator = new Generator(1);
        foreach (var loss in new DistillationLoss[] { new HintLoss((0, 3)), new StageFeatureLoss(0, 3), new AttentionTransferLoss((0, 3)) })
        {
            var message = $"The loss '{loss.Name}' reads tap 3 of the teacher, which has 1 stage feature (taps count from 0). Choose a smaller tap or a teacher with more stage features.";
            Assert.That(
                () => loss.CreateProjections(Shapes.OfStages([2, 4, 4]), Shapes.OfStages([2, 4, 4]), generator), Throws.InvalidOperationException.With.Message.EqualTo(message));
            Assert.That(
                () => LossProbe.OnStages(loss, [zeros(2, 2, 4, 4)], [zeros(2, 2, 4, 4)]), Throws.InvalidOperationException.With.Message.EqualTo(message));
        }

        Assert.That(
            () => new HintLoss((2, 0)).CreateProjections(Shapes.OfStages([2]), Shapes.OfStages([2]), generator),
            Throws.InvalidOperationException.With.Message.StartsWith("The loss 'hint' reads tap 2 of the student"));
    }

    [Test]
    public void Arguments_out_of_range_are_refused() => Assert.Multiple(() =>
    {
        Assert.That(() => new HintLoss(), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith("Give at least one pair of taps (student, teacher), for example (1, 1)."));
        Assert.That(() => new HintLoss((0, -1)), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith("A tap is the index of a stage feature, from 0."));
        Assert.That(() => new AttentionTransferLoss((-1, 0)), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new StageFeatureLoss(-1, 0), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new StageFeatureLoss(0, 0, (FeatureReduction)7), Throws.InstanceOf<ArgumentOutOfRangeException>());
    });

    private static nn.Module<Tensor, Tensor> Adapter(DistillationLoss loss, Tensor student, Tensor teacher)
    {
        using var generator = new Generator(9);
        return loss.CreateProjections(Shapes.FromFeatures(student), Shapes.FromFeatures(teacher), generator).Single().to(float64);
    }

    private static void Check(DistillationLoss loss, Tensor student, Tensor teacher, nn.Module<Tensor, Tensor> adapter)
    {
        FiniteDifferences.Check(loss, Outputs.OfStages(student), Outputs.OfStages(teacher), projections: adapter);
        FiniteDifferences.CheckParameters(loss, Outputs.OfStages(student), Outputs.OfStages(teacher), adapter);
    }
}

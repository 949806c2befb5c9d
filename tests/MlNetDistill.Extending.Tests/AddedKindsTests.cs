using MlNetDistill.Data;
using MlNetDistill.Extending.Tests.Kinds;
using MlNetDistill.Methods;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Extending.Tests;

/// <summary>Optimisers, schedules, augmentations and samplings that an application adds.</summary>
public sealed class AddedKindsTests
{
    [Test]
    public void An_optimiser_of_the_same_equation_trains_the_same_student()
    {
        // The default schedule sets a momentum, which plain descent does not have.
        var options = Points.Options with { Schedule = LearningRateSchedule.Constant() };
        var own = Points.Fit(options with { Optimizer = new PlainDescent(0.1) });
        var ours = Points.Fit(options with { Optimizer = Optimizer.Sgd(0.1, momentum: 0, nesterov: false, weightDecay: 0) });

        Assert.That(own.Scores(), Is.EqualTo(ours.Scores()));
    }

    [Test]
    public void An_optimiser_keeps_tensors_from_step_to_step()
    {
        var own = Points.Fit(Points.Options with { Optimizer = new HeavyBall(0.1, 0.9) });
        var ours = Points.Fit(Points.Options with { Optimizer = Optimizer.Sgd(0.1, momentum: 0.9, nesterov: false, weightDecay: 0) });

        Assert.That(own.Scores(), Is.EqualTo(ours.Scores()));
    }

    [Test]
    public void An_optimiser_that_ruins_the_weights_in_its_first_step_is_named() => Fails(
        Points.Options with { Optimizer = new PlainDescent(0.1, Divisor: 0) }, "The optimizer PlainDescent (", "NaN or infinite in its first step", "Look at its Update");

    [Test]
    public void A_schedule_sets_the_rate_of_each_epoch()
    {
        var progress = new List<TrainingProgress>();
        Points.Fit(Points.Options with { Optimizer = new PlainDescent(0.1), Schedule = new LinearDecay(), Progress = new Reports(progress) });

        // Six steps an epoch; a report has the rate of the last.
        Assert.That(progress.Select(p => p.LearningRate), Is.EqualTo(new[] { 5, 11, 17, 23, 29, 35 }.Select(step => 0.1 * (1 - (step / 36.0)))).Within(1e-12));
    }

    [Test]
    public void A_schedule_that_falls_below_0_is_named_with_the_step() =>
        Fails(Points.Options with { Schedule = new LinearDecay(End: -1) }, "The schedule LinearDecay", "for step 19 of 36; it must be 0 or more");

    [Test]
    public void An_augmentation_changes_the_student_and_repeats_itself()
    {
        var options = Points.Options with { Augmentations = [new RandomScale(0.5)] };
        var (first, again, plain) = (Points.Fit(options).Scores(), Points.Fit(options).Scores(), Points.Fit(Points.Options).Scores());

        Assert.Multiple(() =>
        {
            Assert.That(again, Is.EqualTo(first));
            Assert.That(plain, Is.Not.EqualTo(first));
        });
    }

    [Test]
    public void An_augmentation_that_changes_the_shape_of_rows_is_named() =>
        Fails(Points.Options with { Augmentations = [new NarrowRows()] }, "The augmentation NarrowRows returned Float32 [16, 1] for rows [16, 2]");

    [Test]
    public void A_sampling_decides_which_rows_make_a_batch()
    {
        var student = Points.Fit(Points.Options with { Sampling = new InOrder(), Epochs = 30, Optimizer = Optimizer.AdamW(0.05) });

        Assert.That(student.Accuracy(), Is.GreaterThan(0.9));
    }

    [Test]
    public void A_sampling_without_batches_is_an_error() =>
        Fails(Points.Options with { Sampling = new InOrder(Batches: 0) }, "gave no batch in epoch 1");

    private static IEnumerable<TestCaseData> WrongBatches()
    {
        yield return new(new InOrder(Spoil: _ => arange(Points.Count)), "whose row is held out") { TestName = "held-out rows" };
        yield return new(new InOrder(Spoil: positions => positions.add(Points.Count)), "and there are 96 rows") { TestName = "rows that there are not" };
        yield return new(new InOrder(Spoil: positions => positions.neg().sub(1)), "gave the position -") { TestName = "negative positions" };
        yield return new(new InOrder(Spoil: positions => positions.to(float32)), "gave Float32 [16] as a batch") { TestName = "floating-point positions" };
        yield return new(new InOrder(Spoil: positions => positions.unsqueeze(0)), "gave Int64 [1, 16] as a batch") { TestName = "a matrix" };
        yield return new(new InOrder(Spoil: positions => positions.narrow(0, 0, 0)), "gave Int64 [0] as a batch") { TestName = "no row" };
        yield return new(new InOrder(Spoil: _ => null), "gave a batch that is null") { TestName = "null" };
        yield return new(new InOrder(Says: 2), "but its BatchesPerEpoch is 2") { TestName = "more batches than it says" };
    }

    [TestCaseSource(nameof(WrongBatches))]
    public void A_batch_that_is_not_of_training_rows_is_named(BatchSampling sampling, string found) => Fails(
        Points.Options with { Sampling = sampling, ValidationFraction = 0.25 }, "The sampler Ordered of stage 'labels only'", found, "in epoch 1");

    [Test]
    public void A_sampler_that_writes_into_the_positions_changes_no_other_epoch()
    {
        var zeroed = Points.Fit(Points.Options with { Sampling = new InOrder(Spoil: positions => { var batch = positions.clone(); positions.zero_(); return batch; }) });

        Assert.That(zeroed.Scores(), Is.EqualTo(Points.Fit(Points.Options with { Sampling = new InOrder() }).Scores()));
    }

    [Test]
    public void An_optimiser_that_changes_nothing_is_named() =>
        Fails(Points.Options with { Optimizer = new PlainDescent(0.1, Divisor: double.PositiveInfinity) }, "The optimizer PlainDescent (", "changed no weight in its first step");

    [Test]
    public void An_optimiser_that_keeps_a_velocity_and_never_changes_a_weight_is_named() =>
        Fails(Points.Options with { Optimizer = new Forgetful(), Epochs = 60 }, "The optimizer Forgetful", "changed no weight in its first 100 steps");

    [TestCase(-0.9)]
    [TestCase(1)]
    [TestCase(double.NaN)]
    public void A_momentum_that_is_none_is_named(double momentum) =>
        Fails(Points.Options with { Schedule = new LinearDecay(Momentum: momentum) }, "The schedule LinearDecay", "gave the momentum", "it must be in [0, 1)");

    private static void Fails(DistillationOptions options, params string[] parts)
    {
        var error = Assert.Catch<InvalidOperationException>(() => Points.Fit(options));
        foreach (var part in parts)
            Assert.That(error!.Message, Does.Contain(part));
    }

    private sealed class Reports(List<TrainingProgress> into) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => into.Add(value);
    }

    /// <summary>Momentum that is never applied.</summary>
    private sealed record Forgetful() : Optimizer(0.1)
    {
        protected override void Update(OptimizerStep step)
        {
            foreach (var (parameter, gradient) in step.Gradients())
                parameter.Tensor("velocity").add_(gradient);
        }
    }
}

using MlNetDistill.Extending.Tests.Kinds;
using MlNetDistill.Methods;
using MlNetDistill.Training;

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
        Fails(Points.Options with { Augmentations = [new NarrowRows()] }, "The augmentation NarrowRows gave Float32 [16, 1] for rows [16, 2]");

    [Test]
    public void A_sampling_decides_which_rows_make_a_batch()
    {
        var student = Points.Fit(Points.Options with { Sampling = new InOrder(), Epochs = 30, Optimizer = Optimizer.AdamW(0.05) });

        Assert.That(student.Accuracy(), Is.GreaterThan(0.9));
    }

    [Test]
    public void A_sampling_without_batches_is_an_error() =>
        Fails(Points.Options with { Sampling = new InOrder(Batches: 0) }, "gave no batch in epoch 1");

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
}

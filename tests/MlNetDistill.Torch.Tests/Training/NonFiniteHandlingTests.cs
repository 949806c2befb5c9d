using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Training that goes on after a loss or a gradient that is not finite.</summary>
public sealed class NonFiniteHandlingTests
{
    // Batch 3 of epoch 2.
    private const int Bad = FaultyRun.BatchesPerEpoch + 3;

    [TestCase(Fault.Loss, null)]
    [TestCase(Fault.Gradient, null)]
    [TestCase(Fault.Gradient, 1e6)]
    public void A_skipped_batch_teaches_nothing(object fault, double? clipping)
    {
        using var skipped = new FaultyRun { FaultAt = (step, _) => step == Bad ? (Fault)fault : null }.Train(handling: NonFiniteHandling.SkipBatch(1), clipping: clipping);
        // Plain gradient descent does not move without a gradient.
        using var empty = new FaultyRun { EmptyStep = Bad }.Train(clipping: clipping);
        Assert.That(Runs.State(skipped.Network), Is.EqualTo(Runs.State(empty.Network)));
        Assert.That(skipped.Before[Bad], Is.EqualTo(skipped.Before[Bad - 1]));
        Assert.That(skipped.Reports.Select(r => r.SkippedBatches), Is.EqualTo(new[] { 0, 1, 0 }));
        Assert.That(skipped.Reports.SelectMany(r => r.Losses.Values), Has.All.Matches<double>(double.IsFinite));
        var subject = (Fault)fault == Fault.Loss ? "The loss term 'faulty'" : "The gradient of the loss";
        Assert.That(skipped.Warnings, Is.EqualTo(new[]
        {
            $"{subject} became NaN or infinite in epoch 2 of stage 'stage'. The batch is skipped: batch 3 of the epoch, 8 rows with the ids {string.Join(", ", skipped.IdsOf(Bad))}. " +
            "OnNonFinite allows 1 such batch in a stage.",
        }));
    }

    [Test]
    public void A_skipped_batch_leaves_running_statistics_and_the_optimizer_alone()
    {
        using var set = Toy.Images();
        using var network = Runs.Student(NetworkSpec.ResNet(8, 4, 8, 16), set);
        var (step, before) = (0, new List<double[]>());
        var loss = new ScaledLoss(() => step == 3 ? double.NaN : 1);
        Runs.Train(network, set, Runs.Stage(1, loss, batchSize: 8, optimizer: Optimizer.Sgd(0.01, 0.9)), settings: new LoopSettings
        {
            OnNonFinite = NonFiniteHandling.SkipBatch(),
            View = (positions, _) =>
            {
                step++;
                before.Add(Runs.State(network));
                return Batch.Gather(set, positions);
            },
        });
        Assert.That(before[3], Is.EqualTo(before[2]), "after the bad step as before it");
        Assert.That(before[2], Is.Not.EqualTo(before[1]));
    }

    [Test]
    public void Skipped_batches_are_bounded_and_counted()
    {
        using var run = new FaultyRun { FaultAt = (step, _) => step is 2 or 9 or 15 ? Fault.Loss : null };
        var thrown = Assert.Throws<NonFiniteLossException>(() => run.Train(handling: NonFiniteHandling.SkipBatch(2)))!;
        Assert.That((thrown.Epoch, thrown.Batch), Is.EqualTo((3, 3)));
        Assert.That(thrown.Message, Does.Contain("Before, 2 batches of the stage were skipped for this reason. "));
        Assert.That(run.Reports.Select(r => r.SkippedBatches), Is.EqualTo(new[] { 1, 1 }));
        using var enough = new FaultyRun { FaultAt = (step, _) => step is 2 or 9 or 15 ? Fault.Loss : null }.Train(handling: NonFiniteHandling.SkipBatch(3));
        Assert.That(enough.Warnings, Has.Count.EqualTo(2));
        Assert.That(enough.Warnings[1], Is.EqualTo("Stage 'stage': 3 of 18 batches were skipped, because losses or gradients were NaN or infinite."));
    }

    [Test]
    public void An_epoch_of_which_all_batches_are_skipped_stops()
    {
        using var run = new FaultyRun { FaultAt = (step, _) => step <= FaultyRun.BatchesPerEpoch ? Fault.Loss : null };
        Assert.That(() => run.Train(handling: NonFiniteHandling.SkipBatch(100)), Throws.TypeOf<NonFiniteLossException>().With.Message.Contains("Before, 6 batches of the stage were skipped"));
    }

    [Test]
    public void An_epoch_that_is_cut_off_with_all_its_batches_skipped_is_no_reason_to_return_nothing()
    {
        using var cancellation = new CancellationTokenSource();
        using var run = new FaultyRun { FaultAt = (step, _) => CancelAt(step, FaultyRun.BatchesPerEpoch + 2), Cancellation = cancellation.Token };
        run.Train(handling: NonFiniteHandling.SkipBatch(100));
        Assert.That(run.Reports.Select(r => r.Epoch), Is.EqualTo(new[] { 1 }));
        Assert.That(run.Rows, Has.Count.EqualTo(FaultyRun.BatchesPerEpoch + 2));
        Assert.That(Runs.State(run.Network), Is.EqualTo(run.Before[FaultyRun.BatchesPerEpoch]), "the student of the first epoch");

        Fault? CancelAt(int step, int last)
        {
            if (step == last)
                cancellation.Cancel();
            return step > FaultyRun.BatchesPerEpoch ? Fault.Loss : null;
        }
    }

    [Test]
    public void A_student_that_has_learnt_from_no_batch_is_not_returned()
    {
        using var cancellation = new CancellationTokenSource();
        using var run = new FaultyRun
        {
            FaultAt = (_, _) =>
            {
                cancellation.Cancel();
                return Fault.Loss;
            },
            Cancellation = cancellation.Token,
        };
        Assert.That(() => run.Train(handling: NonFiniteHandling.SkipBatch(100)), Throws.TypeOf<NonFiniteLossException>());
    }

    [Test]
    public void A_gradient_that_is_too_large_for_its_norm_is_skipped_and_not_clipped_to_nothing()
    {
        using var skipped = new FaultyRun { FaultAt = (step, _) => step == Bad ? Fault.HugeGradient : null }.Train(handling: NonFiniteHandling.SkipBatch(1), clipping: 1);
        Assert.That(skipped.Reports.Select(r => r.SkippedBatches), Is.EqualTo(new[] { 0, 1, 0 }));
        Assert.That(skipped.Reports.Select(r => r.LargestGradientNorm), Has.All.LessThan(1e6));
    }

    [TestCase(Fault.Loss, null, false)]
    [TestCase(Fault.Loss, null, true)]
    [TestCase(Fault.Gradient, null, false)]
    [TestCase(Fault.Gradient, null, true)]
    [TestCase(Fault.Gradient, 1e6, false)]
    public void Going_back_is_training_whose_rate_drops_after_the_last_good_epoch(object fault, double? clipping, bool defers)
    {
        foreach (var optimizer in new[] { Optimizer.Sgd(0.05, 0.9), Optimizer.AdamW(0.01) })
        {
            using var back = new FaultyRun { FaultAt = (step, _) => step == Bad ? (Fault)fault : null, Optimizer = optimizer }.Train(4, NonFiniteHandling.GoBack(1, 0.1), clipping, defers);
            using var drops = new FaultyRun { Optimizer = optimizer, Schedule = LearningRateSchedule.Step([1], 0.1) }.Train(4, clipping: clipping, defers: defers);
            Assert.That(Runs.State(back.Network), Is.EqualTo(Runs.State(drops.Network)));
            Assert.That(back.Reports.Select(r => (r.Epoch, r.LearningRate, r.Losses["faulty"])), Is.EqualTo(drops.Reports.Select(r => (r.Epoch, r.LearningRate, r.Losses["faulty"]))));
            Assert.That(back.Reports.Select(r => r.TimesGoneBack), Is.EqualTo(new[] { 0, 1, 1, 1 }));
            Assert.That(back.Warnings, Has.Count.EqualTo(1));
            Assert.That(back.Warnings[0], Does.StartWith("Stage 'stage' goes back to the end of epoch 1 and on with 0.1 of its learning rates (time 1 of 1): ").And.Contain("in epoch 2 of stage 'stage'"));
        }
    }

    [Test]
    public void Going_back_from_the_first_epoch_begins_the_stage_again()
    {
        using var back = new FaultyRun { FaultAt = (step, _) => step == 4 ? Fault.Loss : null, Optimizer = Optimizer.AdamW(0.01) }.Train(2, NonFiniteHandling.GoBack(1, 0.5));
        using var lower = new FaultyRun { Optimizer = Optimizer.AdamW(0.005) }.Train(2);
        Assert.That(Runs.State(back.Network), Is.EqualTo(Runs.State(lower.Network)));
        Assert.That(back.Warnings[0], Does.StartWith("Stage 'stage' goes back to the beginning of the stage and on with 0.5 of its learning rates"));
    }

    /// <summary>The batches after going back are those that would have come, had the steps of the bad epoch not been.</summary>
    [TestCase(1)]
    [TestCase(2)]
    [TestCase(4)]
    public void Going_back_rewinds_batches_that_go_on_across_epochs(int badEpoch)
    {
        // Four of six batches, so that an epoch begins within the rows of the one before.
        const int Steps = 4;
        foreach (var sampling in new[] { BatchSampling.Shuffled(), BatchSampling.ClassUniform(4), new Turning() })
        {
            MlNetDistill.Data.Sampler Create() => new FixedStepsSampling(sampling, Steps).Create(8);
            using var back = new FaultyRun { FaultAt = (step, _) => step == ((badEpoch - 1) * Steps) + 3 ? Fault.Loss : null, Sampler = Create() }.Train(5, NonFiniteHandling.GoBack(1, 0.5));
            using var drops = badEpoch == 1
                ? new FaultyRun { Optimizer = Optimizer.Sgd(0.025, 0, nesterov: false, 0), Sampler = Create() }.Train(5)
                : new FaultyRun { Schedule = LearningRateSchedule.Step([badEpoch - 1], 0.5), Sampler = Create() }.Train(5);
            var bad = Enumerable.Range((badEpoch - 1) * Steps, 3).ToList();
            Assert.That(back.Rows.Where((_, step) => !bad.Contains(step)), Is.EqualTo(drops.Rows), $"{sampling}");
            Assert.That(Runs.State(back.Network), Is.EqualTo(Runs.State(drops.Network)));
        }
    }

    [Test]
    public void Going_back_prepares_a_sampler_that_remembers_again()
    {
        using var back = new FaultyRun { FaultAt = (step, _) => step == Bad ? Fault.Loss : null, Sampler = new Turning().Create(8) }.Train(4, NonFiniteHandling.GoBack(1, 0.1));
        using var drops = new FaultyRun { Schedule = LearningRateSchedule.Step([1], 0.1), Sampler = new Turning().Create(8) }.Train(4);
        Assert.That(back.Rows.Where((_, step) => step is < FaultyRun.BatchesPerEpoch or >= Bad), Is.EqualTo(drops.Rows));
    }

    [Test]
    public void Going_back_rewinds_the_generator_of_the_process_too()
    {
        double[] Draws(bool goesBack)
        {
            manual_seed(3);
            var draws = new List<double>();
            using var run = new FaultyRun
            {
                FaultAt = (step, _) =>
                {
                    draws.Add(rand(1).item<float>());
                    return goesBack && step == Bad ? Fault.Loss : null;
                },
            };
            run.Train(handling: NonFiniteHandling.GoBack(1));
            return [.. draws];
        }

        var (back, whole) = (Draws(goesBack: true), Draws(goesBack: false));
        Assert.That(back[..Bad], Is.EqualTo(whole[..Bad]), "until the bad step");
        Assert.That(back[Bad..], Is.EqualTo(whole[FaultyRun.BatchesPerEpoch..]), "from the beginning of its epoch");
    }

    [Test]
    public void Going_back_is_bounded()
    {
        using var run = new FaultyRun { FaultAt = (_, rows) => rows.Contains(17) ? Fault.Loss : null };
        Assert.That(() => run.Train(handling: NonFiniteHandling.GoBack(2)), Throws.TypeOf<NonFiniteLossException>().With.Message.Contains("Before, the stage went back 2 times for this reason. "));
        Assert.That(run.Warnings, Has.Count.EqualTo(2));
    }

    [Test]
    public void A_run_without_faults_is_the_same_whatever_is_to_be_done_about_them()
    {
        using var stop = new FaultyRun { Optimizer = Optimizer.AdamW() }.Train();
        foreach (var handling in new[] { NonFiniteHandling.SkipBatch(), NonFiniteHandling.GoBack() })
        {
            using var run = new FaultyRun { Optimizer = Optimizer.AdamW() }.Train(handling: handling, measures: true);
            Assert.That(Runs.State(run.Network), Is.EqualTo(Runs.State(stop.Network)));
        }
    }

    [Test]
    public void Settings_describe_themselves_and_their_faults()
    {
        Assert.That($"{NonFiniteHandling.Stop}", Is.EqualTo("stop"));
        Assert.That($"{NonFiniteHandling.SkipBatch(5)}", Is.EqualTo("skip at most 5 batches of a stage"));
        Assert.That($"{NonFiniteHandling.GoBack(2, 0.5)}", Is.EqualTo("go back at most 2 times in a stage, each with 0.5 of the rate"));
        Assert.That(NonFiniteHandling.SkipBatch(0).Validate("OnNonFinite"), Is.EqualTo(new[] { "OnNonFinite: the batches that SkipBatch allows must be at least 1; was 0." }));
        Assert.That(NonFiniteHandling.GoBack(0, 2).Validate("OnNonFinite"), Is.EqualTo(new[]
        {
            "OnNonFinite: the times that GoBack allows must be at least 1; was 0.",
            "OnNonFinite: the factor of GoBack must be in (0, 1]; was 2.",
        }));
    }

    /// <summary>Every row once an epoch, beginning with another row in each.</summary>
    private sealed record Turning : BatchSampling
    {
        public override MlNetDistill.Data.Sampler Create(int batchSize) => new TurningSampler(batchSize);

        private sealed class TurningSampler(int batchSize) : MlNetDistill.Data.Sampler
        {
            private int _epochs;

            public override void Prepare(SamplerSource source) => _epochs = 0;

            public override int BatchesPerEpoch(long rows) => (int)(rows / batchSize);

            public override IEnumerable<Tensor> Epoch(Tensor training, Generator generator)
            {
                var order = training.roll(++_epochs);
                for (var batch = 0; batch < BatchesPerEpoch(training.shape[0]); batch++)
                    yield return order.narrow(0, (long)batch * batchSize, batchSize).clone().DetachFromDisposeScope();
            }
        }
    }
}
